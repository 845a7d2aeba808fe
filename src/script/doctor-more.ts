/**
 * Further parts of doctor's text (doctor.ts): the image cache, overlays that are still held, registries,
 * GPUs. Each answers with what it can and leaves nothing behind. They run after the host's own setup.
 */
import { templateVariables, templateWord } from './expand.ts';
import { quote } from './quote.ts';

/** Where pulled images go; the same questions as for the root, and how many are there. */
export function imagesText(template: string): string {
  const unset = templateVariables(template).map((name) => `[ -n "$${name}" ]`);
  const look = `images=${templateWord(template)}; look_at_images`;
  return [IMAGES, unset.length === 0 ? look : `if ${unset.join(' && ')}; then ${look}; fi`].join(
    '\n',
  );
}

const IMAGES = `look_at_images() {
  while case $images in ?*/) ;; *) false ;; esac; do images=\${images%/}; done
  fact imagesDir "$images"
  if [ -e "$images" ] && ! [ -d "$images" ]; then fact imagesKind other; fi
  place=$images
  while ! [ -d "$place" ] && [ -n "$place" ] && [ "$place" != / ]; do place=\${place%/*}; done
  place=\${place:-/}
  # shellcheck disable=SC2046 # words
  set -- $(stat -f -c '%a %S %T' "$place" 2>/dev/null)
  if [ $# -ge 3 ]; then fact imagesFreeBytes $(($1 * $2)); fact imagesFsType "$3"; fi
  if [ "$(stat -c %d "$place" 2>/dev/null)" = "$(stat -c %d "$HOME" 2>/dev/null)" ]; then fact imagesOnHome 1; else fact imagesOnHome 0; fi
  set -- "$images"/*.sif
  if [ -e "$1" ]; then fact imagesCount $#; else fact imagesCount 0; fi
  trial=$place/.probe.doctor.$me
  if mkdir "$trial" 2>/dev/null; then
    fact imagesWritable 1
    rm -rf "$trial"
  else
    fact imagesWritable 0
  fi
}`;

/** Overlay images of attempts that have ended, open in a process that is still there. */
export const OVERLAYS = `# shellcheck disable=SC2012 # names that the kernel gives
[ -z "$root" ] || ls -l /proc/[0-9]*/fd 2>/dev/null | ROOT="$root/tasks/" awk '
  /^\\/proc\\// { split($0, part, "/"); pid = part[3]; next }
  { at = index($0, " -> " ENVIRON["ROOT"]); if (at > 0 && /\\.img$/) print pid, substr($0, at + 4) }
' | sort -u | while read -r pid path; do
  [ -e "\${path%/*}/exit.json" ] && printf '%s\\n' "@ overlay $pid $path"
done`;

/** Whether anything answers at the registry: by HTTP where there is curl, else by TCP with bash. */
export function registriesText(registries: readonly AskedRegistry[]): string {
  const lines = registries.map(({ name, secure }) => {
    const address = name === 'docker.io' ? 'registry-1.docker.io' : name;
    return `reach ${quote(name)} ${secure ? 'https 443' : 'http 80'} ${quote(address)} &`;
  });
  return [REACH, ...lines, 'wait'].join('\n');
}

export interface AskedRegistry {
  /** NAME or NAME:PORT. */
  name: string;
  /** False: spoken to over plain HTTP. */
  secure: boolean;
}

const REACH = `reach() {
  name=\${4%:*} port=\${4##*:}
  [ "$name" != "$4" ] || port=$3
  if command -v curl >/dev/null 2>&1; then
    words=$(curl -sS -m 5 -o /dev/null "$2://$4/v2/" 2>&1 </dev/null)
  elif command -v bash >/dev/null 2>&1; then
    # shellcheck disable=SC2016 # for the other shell
    words=$(timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$name" "$port" 2>&1 </dev/null)
  else
    return 0
  fi
  code=$?
  case $code in
    0) printf '%s\\n' "@ registry $1 ok" ;;
    *) printf '%s\\n' "@ registry $1 failed $(printf '%s' "$words" | tr '\\n' ' ' | cut -c 1-200) ($code)" ;;
  esac
}`;

/** Tools that list GPUs, and whether their driver answers; a card without any tool. */
export const GPUS = `for tool in nvidia-smi rocm-smi; do
  command -v "$tool" >/dev/null 2>&1 || continue
  case $tool in nvidia-smi) list=-L ;; *) list=--showid ;; esac
  words=$(timeout 5 "$tool" "$list" 2>&1 </dev/null)
  code=$?
  fact gpuTool "$tool"
  fact gpuCode "$code"
  if [ "$code" = 0 ]; then fact gpuCount "$(printf '%s\\n' "$words" | grep -c GPU)"
  else fact gpuWords "$(printf '%s' "$words" | tr '\\n' ' ' | cut -c 1-200)"; fi
  break
done
for device in /sys/bus/pci/devices/*; do
  case $(cat "$device/class" 2>/dev/null) in 0x03*) ;; *) continue ;; esac
  case $(cat "$device/vendor" 2>/dev/null) in
    0x10de) fact gpuCard NVIDIA ;;
    0x1002) fact gpuCard AMD ;;
  esac
done`;
