/** The completion script for fish. */
import { HOST_OPTIONS, type Place, TASK_OPTIONS } from './tree.ts';

/** One \`complete\` line for each verb, option and kind of argument. */
export function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap((place) => [
    ...place.verbs.map(({ name, what }) => line(place, `-f -a ${quote(name)} -d ${quote(what)}`)),
    ...place.words.map((word) => line(place, `-f -a ${quote(word)}`)),
    ...place.options.map((option) => line(place, optionWords(option))),
    ...dynamic(place),
  ]);
  return `# fish completion for towline; made by: towline completion fish\n${lines.join('\n')}\n`;
}

function dynamic(place: Place): string[] {
  if (place.argument !== 'tasks' && place.argument !== 'hosts') return [];
  return [line(place, `-f -a '(towline __complete ${place.argument} 2>/dev/null)'`)];
}

function line({ path, verbs }: Place, rest: string): string {
  return `complete -c towline -n ${quote(
    condition(
      path,
      verbs.map(({ name }) => name),
    ),
  )} ${rest}`;
}

/** At the top no verb was typed; in a group none of its own verbs was. */
function condition(path: string, verbs: string[]): string {
  if (path === '') return '__fish_use_subcommand';
  const seen = path.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`);
  const unseen = verbs.length === 0 ? [] : [`not __fish_seen_subcommand_from ${verbs.join(' ')}`];
  return [...seen, ...unseen].join('; and ');
}

function optionWords({ name, what, takesValue, choices }: Place['options'][number]): string {
  const flag = name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`;
  const value = takesValue ? ' -r' : '';
  let offers = choices.length > 0 ? ` -f -a ${quote(choices.join(' '))}` : '';
  if (HOST_OPTIONS.includes(name)) offers = " -f -a '(towline __complete hosts 2>/dev/null)'";
  if (TASK_OPTIONS.includes(name)) offers = " -f -a '(towline __complete tasks 2>/dev/null)'";
  return `${flag}${value}${offers} -d ${quote(what.replaceAll('\n', ' '))}`;
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
