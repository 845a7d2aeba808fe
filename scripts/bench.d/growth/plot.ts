/** A growth as SVG: for each series a panel of its own, side by side, both axes logarithmic. Pure. */
import { Markup, markup } from '../../../src/workflow/markup.ts';
import { type Growth, shown } from './growth.ts';
import { type Scale, scaleOf } from './scale.ts';

const PANEL = { width: 310, height: 210, left: 62, top: 34, right: 24, bottom: 46 } as const;
const PLOT_WIDTH = PANEL.width - PANEL.left - PANEL.right;
const PLOT_HEIGHT = PANEL.height - PANEL.top - PANEL.bottom;
const DOT_PX = 3.5;

const RULES = `svg{--ink:#1c2330;--faint:#5b6675;--grid:#dfe3ea;--line:#0b66c3;background:#fff}
@media (prefers-color-scheme:dark){svg{--ink:#e6e9ef;--faint:#a3adba;--grid:#333b48;--line:#6cb2ff;background:#161a21}}
text{font:11px system-ui,"DejaVu Sans",Helvetica,Arial,sans-serif;fill:var(--faint)}
.name{font-size:13px;font-weight:600;fill:var(--ink)}
.grid{stroke:var(--grid);stroke-width:1}
.line{fill:none;stroke:var(--line);stroke-width:2}
.dot{fill:var(--line)}`;

interface Panel {
  growth: Growth;
  index: number;
  /** Points that have a place: nothing that is zero has one. */
  points: { at: number; value: number }[];
  x: Scale;
  y: Scale;
}

/** A file of its own, light or dark as its reader likes it. */
export function plotFile(growth: Growth): string {
  const panels = growth.series.map((_, index) => panelOf(growth, index));
  const width = panels.length * PANEL.width;
  const { name, along, series } = growth;
  const about = `${name}: ${series.map(({ label }) => label).join(', ')}, each by ${along.label}`;
  return markup`<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${about}" width="${width}" height="${PANEL.height}" viewBox="0 0 ${width} ${PANEL.height}">
${new Markup(`<style>\n${RULES}\n</style>`)}
${panels.map(drawn)}</svg>
`.text;
}

function panelOf(growth: Growth, index: number): Panel {
  const points = growth.points
    .map(({ at, values }) => ({ at, value: values[index] ?? Number.NaN }))
    .filter(({ value }) => value > 0);
  const x = scaleOf(
    growth.points.map(({ at }) => at),
    growth.along.unit,
  );
  const unit = growth.series[index]?.unit ?? 'count';
  const y = scaleOf(
    points.map(({ value }) => value),
    unit,
  );
  return { growth, index, points, x, y };
}

function drawn(panel: Panel): Markup {
  const { growth, index } = panel;
  const name = growth.series[index]?.label;
  const { left, top, width, height } = PANEL;
  return markup`<g transform="translate(${index * width},0)">
<text class="name" x="${left}" y="${top - 14}">${name}</text>
${rows(panel)}${columns(panel)}<text x="${left + PLOT_WIDTH / 2}" y="${height - 8}" text-anchor="middle">${growth.along.label}</text>
${curve(panel)}</g>
`;
}

function rows({ growth, index, y }: Panel): Markup[] {
  const unit = growth.series[index]?.unit ?? 'count';
  const { left } = PANEL;
  return y.ticks.map((tick) => {
    const at = down(y, tick);
    return markup`<line class="grid" x1="${left}" y1="${at}" x2="${left + PLOT_WIDTH}" y2="${at}"/><text x="${left - 7}" y="${at + 4}" text-anchor="end">${shown(tick, unit)}</text>
`;
  });
}

function columns({ growth, x }: Panel): Markup[] {
  const { top } = PANEL;
  const foot = top + PLOT_HEIGHT;
  return x.ticks.map((tick) => {
    const at = across(x, tick);
    return markup`<line class="grid" x1="${at}" y1="${top}" x2="${at}" y2="${foot}"/><text x="${at}" y="${foot + 16}" text-anchor="middle">${shown(tick, growth.along.unit)}</text>
`;
  });
}

function curve({ growth, index, points, x, y }: Panel): Markup {
  const places = points.map(({ at, value }) => ({
    at,
    value,
    x: across(x, at),
    y: down(y, value),
  }));
  const way = places.map((place) => `${place.x},${place.y}`).join(' ');
  const unit = growth.series[index]?.unit ?? 'count';
  const dots = places.map((place) => {
    const about = `${shown(place.at, growth.along.unit)}: ${shown(place.value, unit)}`;
    return markup`<circle class="dot" cx="${place.x}" cy="${place.y}" r="${DOT_PX}"><title>${about}</title></circle>
`;
  });
  return markup`<polyline class="line" points="${way}"/>
${dots}`;
}

function across(scale: Scale, value: number): number {
  return tenths(PANEL.left + scale.place(value) * PLOT_WIDTH);
}

function down(scale: Scale, value: number): number {
  return tenths(PANEL.top + (1 - scale.place(value)) * PLOT_HEIGHT);
}

function tenths(px: number): number {
  return Math.round(px * 10) / 10;
}
