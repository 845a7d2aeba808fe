/** towline host doctor. */
import type { Command } from 'commander';
import type { FindingView } from '../../protocol/views.ts';
import { type Call, type Cli, onAction } from '../call.ts';
import { EXIT_OK, EXIT_TASK_FAILED } from '../exit-codes.ts';
import { painter } from '../output/colour.ts';
import { printJson } from '../output/json.ts';

export function addHostDoctor(host: Command, cli: Cli): void {
  const doctor = host
    .command('doctor')
    .summary('find out what is wrong with a host')
    .description(
      'Examine a host from its name to a running container, with one login of its own. Each finding says what was seen; what is wrong comes with its cause and what mends it. Exit code 3 when something failed.\n\nExample: towline host doctor vm',
    )
    .argument('<name>', 'name of a host');
  onAction(doctor, cli, examine);
}

async function examine(call: Call): Promise<number> {
  const client = await call.client();
  const name = call.args[0] ?? '';
  const findings: FindingView[] = [];
  let exitCode = EXIT_OK;
  const { createDoctorText } = await import('../output/doctor-text.ts');
  const text = createDoctorText({ host: name, paint: painter(call.io, call.io.out) });
  for await (const view of client.doctor(name)) {
    if (!call.json) await call.io.out.write(text(view));
    if (view.type === 'finding') findings.push(view);
    else {
      const { host, ok, warnings, failures, skipped } = view;
      if (failures > 0) exitCode = EXIT_TASK_FAILED;
      const plain = findings.map((finding) => ({ ...finding, type: undefined }));
      const answer = { host, ok, warnings, failures, skipped, findings: plain };
      if (call.json) await printJson(call.io, answer);
    }
  }
  return exitCode;
}
