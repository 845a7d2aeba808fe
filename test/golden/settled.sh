if ! [ -r '/home/alice/.towline/towline-root.json' ] || ! [ -d '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1' ]; then echo '@ failed no-root'; exit 0; fi
machine=''
read -r boot </proc/sys/kernel/random/boot_id
[ -r /etc/machine-id ] && read -r machine </etc/machine-id
read -r host </proc/sys/kernel/hostname
if [ "$machine $host" != 'm h' ] || [ "$boot" = 'b' ] ||
  [ -e '/home/alice/.towline/tasks/0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f/k3f9a2.1/.settled.n1' ]; then
  echo '@ settled'
else
  echo '@ unsettled'
fi