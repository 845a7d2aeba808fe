/** The completion script for bash. */
import { HOST_OPTIONS, type Place, TASK_OPTIONS } from './tree.ts';

/** A function that finds the place in the tree and offers what fits there. */
export function bashScript(places: readonly Place[]): string {
  return `# bash completion for towline; made by: towline completion bash
_towline() {
  local cur prev place word
  cur="\${COMP_WORDS[COMP_CWORD]}"
  prev="\${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  place=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [ "$word" = "--" ] && return
    case "$place $word" in
${places
  .filter(({ path }) => path !== '')
  .map(({ path }) => `      ${JSON.stringify(beforeLast(path))}) place=${JSON.stringify(path)} ;;`)
  .join('\n')}
    esac
  done
  case "$prev" in
    ${HOST_OPTIONS.join('|')}) COMPREPLY=($(compgen -W "$(towline __complete hosts 2>/dev/null)" -- "$cur")); return ;;
    ${TASK_OPTIONS.join('|')}) COMPREPLY=($(compgen -W "$(towline __complete tasks 2>/dev/null)" -- "$cur")); return ;;
${choiceCases(places)}
    ${valueOptions(places).join('|')}) COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  case "$place" in
${places.map(placeCase).join('\n')}
  esac
}
complete -F _towline towline
`;
}

/** \`host show\` is reached from the place \`host\` by the word \`show\`. */
function beforeLast(path: string): string {
  const words = path.split(' ');
  return `${words.slice(0, -1).join(' ')} ${words.at(-1) ?? ''}`;
}

function choiceCases(places: readonly Place[]): string {
  const choices = new Map<string, string>();
  for (const { options } of places) {
    for (const option of options) {
      if (option.choices.length > 0) choices.set(option.name, option.choices.join(' '));
    }
  }
  return [...choices]
    .map(
      ([name, words]) => `    ${name}) COMPREPLY=($(compgen -W "${words}" -- "$cur")); return ;;`,
    )
    .join('\n');
}

function valueOptions(places: readonly Place[]): string[] {
  const names = places.flatMap(({ options }) =>
    options
      .filter((option) => option.takesValue && option.choices.length === 0)
      .map(({ name }) => name),
  );
  return [...new Set(names)].filter((name) => ![...HOST_OPTIONS, ...TASK_OPTIONS].includes(name));
}

function placeCase({ path, verbs, options, argument, words }: Place): string {
  const flags = options.map(({ name }) => name).join(' ');
  const plain = [...verbs.map(({ name }) => name), ...words].join(' ');
  const dynamic =
    argument === 'tasks' || argument === 'hosts'
      ? `$(towline __complete ${argument} 2>/dev/null)`
      : '';
  return `    ${JSON.stringify(path)})
      case "$cur" in
        -*) COMPREPLY=($(compgen -W "${flags}" -- "$cur")) ;;
        *) COMPREPLY=($(compgen ${argument === 'files' ? '-f ' : ''}-W "${[plain, dynamic].filter((part) => part !== '').join(' ')}" -- "$cur")) ;;
      esac ;;`;
}
