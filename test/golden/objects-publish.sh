cd '/home/alice/.towline/store' || { echo '@ failed no-store'; exit 0; }
part='.part/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855-0644.0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f' o=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855-0644
if [ -f "$o" ]; then rm -f "$part"; echo '@ published'; exit 0; fi
read -r sum _ <<E
$(sha256sum <"$part")
E
[ "$sum" = e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 ] || { [ ! -e "$part" ] || rm -f "$part"; echo "@ mismatch"; exit 0; }
chmod 0644 "$part" || { echo '@ failed chmod'; exit 0; }
{ sync "$part" 2>/dev/null || sync; } || { echo '@ failed sync'; exit 0; }
ln "$part" "$o" 2>/dev/null || [ -f "$o" ] || mv "$part" "$o" || { echo '@ failed publish'; exit 0; }
rm -f "$part"
echo '@ published'