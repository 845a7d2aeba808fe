/** towline image list|pull|remove|prune. */
import type { Command } from 'commander';
import { type Cli, onAction } from '../call.ts';
import { printJson } from '../output/json.ts';
import { addImagePrune } from './image-prune.ts';

export function addImage(program: Command, cli: Cli): void {
  const image = program
    .command('image')
    .helpCommand(false)
    .summary('look at, pull and remove images')
    .description('Look at, pull and remove images on a host.');
  addImageList(image, cli);
  addImagePull(image, cli);
  addImageRemove(image, cli);
  addImagePrune(image, cli);
}

function addImageList(image: Command, cli: Cli): void {
  const list = image
    .command('list')
    .alias('ls')
    .summary('list the images Towline pulled')
    .description('List the images that Towline pulled on a host.')
    .argument('<host>', 'name of a host');
  onAction(list, cli, async (call) => {
    const answer = await (await call.client()).images(call.args[0] ?? '');
    if (call.json) return printJson(call.io, answer);
    const { imageTable } = await import('../output/host-text.ts');
    return call.io.out.write(imageTable(answer.images, Number.POSITIVE_INFINITY));
  });
}

function addImagePull(image: Command, cli: Cli): void {
  const pull = image
    .command('pull')
    .summary('pull an image')
    .description('Pull an image on a host and wait for it. Prints its path there.')
    .argument('<host>', 'name of a host')
    .argument('<image>', 'an image reference');
  onAction(pull, cli, async (call) => {
    const [host = '', reference = ''] = call.args;
    const answer = await (await call.client()).pullImage(host, reference);
    return call.json ? printJson(call.io, answer) : call.io.out.write(`${answer.path}\n`);
  });
}

function addImageRemove(image: Command, cli: Cli): void {
  const remove = image
    .command('remove')
    .alias('rm')
    .summary('remove an image')
    .description('Remove an image that Towline pulled on a host.')
    .argument('<host>', 'name of a host')
    .argument('<image>', 'an image reference');
  onAction(remove, cli, async (call) => {
    const [host = '', reference = ''] = call.args;
    await (await call.client()).removeImage(host, reference);
    if (call.json) await printJson(call.io, { removed: reference });
  });
}
