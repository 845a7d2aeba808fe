import { openScriptBed } from './support/script-bed.ts';
import { parsePull, pullText } from '../src/script/pull.ts';
const bed = await openScriptBed('dbg');
const t0 = Date.now();
const text = pullText(bed.pullPlace('docker://registry:5000/mini:1', 'mini-1'));
console.log(text.length);
for (;;) { const a = Date.now(); const out = await bed.run(text); const r = parsePull(out, {host:'vm'}); console.log(Date.now()-t0, Date.now()-a, JSON.stringify(r)); if (r.kind !== 'running') break; if (Date.now()-t0>20000) { console.log(await bed.run(`cd '${bed.facts.root}/images'/.pull* && ls -la; cat log; ps -ef | tail -30`)); break; } await new Promise(r=>setTimeout(r,500)); }
await bed[Symbol.asyncDispose]();
