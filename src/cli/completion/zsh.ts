/** The completion script for zsh. */
import { HOST_OPTIONS, type Place, TASK_OPTIONS } from './tree.ts';

/** A function that finds the place in the tree and offers what fits there, with descriptions. */
export function zshScript(places: readonly Place[]): string {
  return `#compdef towline
# zsh completion for towline; made by: towline completion zsh
_towline() {
  local place="" word
  local -a offers
  for word in "\${(@)words[2,CURRENT-1]}"; do
    [[ "$word" == "--" ]] && return
    case "$place $word" in
${places
  .filter(({ path }) => path !== '')
  .map(({ path }) => `      ${quote(stepOf(path))}) place=${quote(path)} ;;`)
  .join('\n')}
    esac
  done
  case "$words[CURRENT-1]" in
    ${HOST_OPTIONS.join('|')}) offers=(\${(f)"$(towline __complete hosts 2>/dev/null)"}); compadd -a offers; return ;;
    ${TASK_OPTIONS.join('|')}) offers=(\${(f)"$(towline __complete tasks 2>/dev/null)"}); compadd -a offers; return ;;
  esac
  case "$place" in
${places.map(placeCase).join('\n')}
  esac
}
compdef _towline towline 2>/dev/null
`;
}

function stepOf(path: string): string {
  const words = path.split(' ');
  return `${words.slice(0, -1).join(' ')} ${words.at(-1) ?? ''}`;
}

function placeCase({ path, verbs, options, argument, words }: Place): string {
  const describe = (name: string, what: string): string =>
    quote(`${name.replaceAll(':', '\\:')}:${what.replaceAll('\n', ' ')}`);
  const offers = [
    ...verbs.map(({ name, what }) => describe(name, what)),
    ...words.map((word) => quote(word)),
    ...options.map(({ name, what }) => describe(name, what)),
  ];
  const dynamic =
    argument === 'tasks' || argument === 'hosts'
      ? `\n      offers=(\${(f)"$(towline __complete ${argument} 2>/dev/null)"}); compadd -a offers`
      : '';
  const files = argument === 'files' || argument === 'none' ? '\n      _files' : '';
  return `    ${quote(path)})
      offers=(${offers.join(' ')})
      _describe towline offers${dynamic}${files} ;;`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
