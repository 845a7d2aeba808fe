/** Stands in for Apptainer where only Towline's own part is measured: what comes after the image is run as it is. */
import { onHost } from '../../test/support/bed.ts';

const DIRECTORY = '/opt/towline-bench';
const RUNTIME = `#!/bin/sh
case $1 in
version | --version) echo "apptainer version 1.4.5" && exit ;;
esac
until [ $# -eq 0 ]; do
  case $1 in
  *.sif) shift && exec "$@" ;;
  esac
  shift
done
`;

export interface BareRuntime extends AsyncDisposable {
  path: string;
  image: string;
}

export async function installBareRuntime(): Promise<BareRuntime> {
  const path = `${DIRECTORY}/apptainer`;
  const image = `${DIRECTORY}/none.sif`;
  const install = `mkdir -p ${DIRECTORY} && touch ${image} && printf %s "$0" >${path} && chmod 755 ${path}`;
  await onHost('vm', 'sh', '-c', install, RUNTIME);
  const remove = async (): Promise<void> => void (await onHost('vm', 'rm', '-rf', DIRECTORY));
  return { path, image, [Symbol.asyncDispose]: remove };
}
