cd '/home/alice/.towline/kept/d1' 2>/dev/null || { echo '@ done'; exit 0; }
for f in *; do [ -d "$f" ] && [ ! -L "$f" ] && echo "@ hold $f"; done
echo '@ done'