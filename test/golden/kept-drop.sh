cd '/home/alice/.towline/kept/d1' || exit 0
rm -rf 't.1'