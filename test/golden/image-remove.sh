cd '/srv/towline/images' || { echo '@ failed no-directory'; exit 0; }
if ! [ -e 'registry_5000_mini_1-0123456789abcdef0123456789abcdef'.sif ]; then echo '@ absent'; exit 0; fi
rm -f 'registry_5000_mini_1-0123456789abcdef0123456789abcdef'.sif 'registry_5000_mini_1-0123456789abcdef0123456789abcdef'.json && echo '@ removed' || echo '@ failed'