/** How the page of a report looks: in light and dark, on a narrow window and on paper. */
import { GRAPH_RULES } from '../../../workflow/graph-svg.ts';
import { STATE_COLOURS, stateRules } from '../../../workflow/state-colours.ts';

const ofEach = (rule: (state: string, colour: string) => string): string =>
  Object.entries(STATE_COLOURS)
    .map(([state, colour]) => rule(state, colour))
    .join('\n');

export const PAGE_STYLE = `
:root{--ink:#1c2330;--soft:#5b6472;--back:#fff;--card:#f6f7fa;--box:#f3f5f9;--line:#8d97a5;--rule:#dde1e8;--edge:#6b7686;--link:#1f5fa8;--pre:#eef0f4}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#9aa4b4;--back:#14171d;--card:#1b2028;--box:#252b36;--line:#6b7686;--rule:#2d3440;--edge:#98a2b3;--link:#7db4f5;--pre:#0f1216}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1400px;padding:1rem clamp(.6rem,2vw,2rem) 3rem;background:var(--back);color:var(--ink);font:15px/1.45 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;overflow-wrap:anywhere}
code,pre{font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;font-size:.88em}
a{color:var(--link);text-decoration:none}
a:hover{text-decoration:underline}
h1{font-size:1.6rem;margin:.2rem 0 .5rem;line-height:1.2}
h2{font-size:1.15rem;margin:2rem 0 .6rem;padding-bottom:.2rem;border-bottom:1px solid var(--rule)}
h3{font-size:1rem;margin:0 0 .3rem}
small{color:var(--soft);font-weight:400;font-size:.85em}
.verdict{font-size:.6em;font-weight:600;padding:.2em .6em;border-radius:.4em;color:#fff;vertical-align:middle;display:inline-block}
.counts,.legend{list-style:none;padding:0;margin:.4rem 0;display:flex;flex-wrap:wrap;gap:.2rem 1.1rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:.6rem 0}
nav{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;margin:.6rem 0}
dt{color:var(--soft)}
dd{margin:0}
.dot{display:inline-block;width:.7em;height:.7em;border-radius:50%;margin-right:.4em}
.legend .dot{border-radius:2px}
.note{color:var(--soft);font-size:.85em}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th{font-weight:500;text-align:left}
thead th{color:var(--soft);font-weight:400;font-size:.85em}
.tasks th,.tasks td{padding:.2rem .7rem .2rem 0;border-bottom:1px solid var(--rule);white-space:nowrap;overflow-wrap:normal}
.tasks tbody th{max-width:24rem;overflow:hidden;text-overflow:ellipsis}
.tasks thead th:last-child,.tasks td:last-child{padding-left:.7rem}
.tasks .number{text-align:right;font-variant-numeric:tabular-nums}
.tasks tr:target{background:var(--card);outline:2px solid var(--link)}
.timeline{table-layout:fixed}
.timeline thead th{width:30%}
.timeline thead th,.timeline thead td{position:sticky;top:0;background:var(--back);z-index:1}
.timeline th,.timeline td{padding:0;height:18px}
.timeline th div{display:flex;gap:.6rem;justify-content:space-between;align-items:baseline;padding-right:.7rem;font-size:.85rem;line-height:18px}
.timeline th a{overflow:hidden;text-overflow:ellipsis;white-space:nowrap;min-width:3rem}
.timeline th small{white-space:nowrap;overflow:hidden;text-overflow:ellipsis;flex-shrink:20;min-width:2rem}
.timeline svg{display:block;overflow:hidden}
.timeline tbody tr:hover{background:var(--card)}
.axis text{font:11px system-ui,"DejaVu Sans",sans-serif;fill:var(--soft)}
.grid{stroke:var(--rule)}
.mark{stroke-width:3}
article{background:var(--card);border-left:4px solid var(--line);border-radius:.3rem;padding:.7rem 1rem;margin:.7rem 0}
article p{margin:.25rem 0}
article ul{margin:.3rem 0;padding-left:1.2rem}
article .wide{columns:20rem}
.hint,.label{color:var(--soft);font-size:.9em}
pre{background:var(--pre);padding:.5rem .7rem;margin:.3rem 0;border-radius:.3rem;max-height:24rem;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere}
${stateRules()}
@media (prefers-color-scheme:dark){.s-waiting{fill:#454d5b;background:#454d5b}.s-queued{fill:#667085;background:#667085}}
${ofEach((state, colour) => `.e-${state}{stroke:${colour}}`)}
${ofEach((state, colour) => `article.v-${state}{border-left-color:${colour}}.verdict.v-${state}{background:${colour}}`)}
${GRAPH_RULES}
.graph{display:block}
.graph a:hover .box{stroke:var(--link)}
@media (min-width:1100px){.timeline thead th{width:20rem}}
@media (max-width:640px){.axis text:nth-child(even){display:none}.tasks tbody th{max-width:9rem}.timeline thead th{width:42%}.timeline th small span{display:none}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.3rem}}
@media print{nav{display:none}
:root{--ink:#000;--soft:#444;--back:#fff;--card:#f6f7fa;--box:#f3f5f9;--line:#777;--rule:#ccc;--edge:#555;--link:#000;--pre:#f3f3f3}
body{max-width:none;padding:0;font-size:11px}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
.scroll{overflow:visible}
.graph{max-width:100%;height:auto}
.timeline thead th,.timeline thead td{position:static}
pre{max-height:none}
tr,article{break-inside:avoid}
h2{break-after:avoid}
@page{margin:12mm}}
`;
