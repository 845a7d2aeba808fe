/**
 * A strict reader of the Prometheus text format 0.0.4: throws where a line, a name, an escape, the
 * order of HELP, TYPE and samples, or a histogram does not fit.
 */
const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const COMMENT = /^# (HELP|TYPE) (\S+) (.+)$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,(?=.)|$)/;
const NUMBER = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|\+Inf|-Inf|NaN)$/i;
const SUFFIXES = ['_bucket', '_sum', '_count'];

interface Family {
  name: string;
  type: string;
}

/** Samples by name and labels as they stand in the text. */
export function readMetrics(text: string): Map<string, number> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const samples = new Map<string, number>();
  const seen = new Set<string>();
  let helped: string | undefined;
  let family: Family | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = COMMENT.exec(line);
    if (comment !== null) {
      const [, keyword, name = '', rest = ''] = comment;
      if (!NAME.test(name)) throw new Error(`bad name: ${line}`);
      if (keyword === 'HELP') {
        if (seen.has(name)) throw new Error(`a family comes twice: ${line}`);
        if (/\\(?![\\n])/.test(rest)) throw new Error(`bad escape: ${line}`);
        seen.add(name);
        helped = name;
        continue;
      }
      if (helped !== name) throw new Error(`TYPE without its HELP: ${line}`);
      if (!/^(?:counter|gauge|histogram|summary|untyped)$/.test(rest))
        throw new Error(`bad type: ${line}`);
      family = { name, type: rest };
      continue;
    }
    readSample(line, family, samples);
  }
  checkHistograms(samples);
  return samples;
}

function readSample(line: string, family: Family | undefined, samples: Map<string, number>): void {
  const [, name = '', labels = '', number = ''] = SAMPLE.exec(line) ?? [];
  if (name === '') throw new Error(`not a sample: ${line}`);
  if (!NUMBER.test(number)) throw new Error(`bad number: ${line}`);
  checkLabels(labels, line);
  const base =
    family?.type === 'histogram' ? SUFFIXES.map((end) => family.name + end) : [family?.name];
  if (!base.includes(name)) throw new Error(`not of the family ${family?.name}: ${line}`);
  const value = Number(number.replace('Inf', 'Infinity'));
  if (family?.type === 'counter') {
    if (!name.endsWith('_total')) throw new Error(`a counter's name ends in _total: ${line}`);
    if (!(value >= 0)) throw new Error(`a counter below zero: ${line}`);
  }
  const key = line.slice(0, line.lastIndexOf(' '));
  if (samples.has(key)) throw new Error(`a sample comes twice: ${line}`);
  samples.set(key, value);
}

function checkLabels(labels: string, line: string): void {
  const names = new Set<string>();
  for (let rest = labels; rest !== ''; ) {
    const match = LABEL.exec(rest);
    if (match === null) throw new Error(`bad labels: ${line}`);
    const name = match[1] ?? '';
    if (names.has(name)) throw new Error(`a label comes twice: ${line}`);
    names.add(name);
    rest = rest.slice(match[0].length);
  }
}

/** Buckets never fall, and the last one is +Inf with the count. */
function checkHistograms(samples: Map<string, number>): void {
  let before: { key: string; value: number } | undefined;
  for (const [key, value] of samples) {
    const match = /^(.*)_bucket(\{.*),?le="([^"]+)"\}$/.exec(key);
    if (match === null) continue;
    const [, name, labels = '', le] = match;
    const series = `${name}${labels}`;
    if (before?.key === series && value < before.value) throw new Error(`a bucket falls: ${key}`);
    before = { key: series, value };
    const count = samples.get(`${name}_count${labels.replace(/,$/, '')}}`.replace('{}', ''));
    if (le === '+Inf' && count !== value)
      throw new Error(`the last bucket is not the count: ${key}`);
  }
}
