cd '/srv/towline/images' || { echo '@ failed no-directory'; exit 0; }
set -- 'registry_5000_mini_1-0123456789abcdef0123456789abcdef'.sif 'registry_5000_mini_1-0123456789abcdef0123456789abcdef'.g*.sif
if ! [ -e "$1" ] && ! [ -e "$2" ]; then echo '@ absent'; exit 0; fi
rm -f "$@" .now.'registry_5000_mini_1-0123456789abcdef0123456789abcdef' .asked.'registry_5000_mini_1-0123456789abcdef0123456789abcdef' 'registry_5000_mini_1-0123456789abcdef0123456789abcdef'.json 'registry_5000_mini_1-0123456789abcdef0123456789abcdef'.g*.json && echo '@ removed' || echo '@ failed'