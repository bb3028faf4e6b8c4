/// The page's look. No child selectors and no quotes: it is text of the page like any other to a strict reader.
let stylesheet: StaticString = """

  :root {
    color-scheme: light dark;
    --paper: #fbfbf9; --card: #ffffff; --ink: #1d2329; --quiet: #566069; --edge: #d9dcd8; --track: #eceeea;
    --accent: #1f6f8b; --good: #1c6b3c; --good-paper: #e3f3e8; --bad: #a3261d; --bad-paper: #fbe6e3;
    --ring: #a9d3e4; --tensor: #f3c58b; --scratch: #cfc6ea; --counters: #9fd3ae; --result: #f0b1b6; --rest: #b9beb8;
    --block-edge: #3c4a54; --on-fill: #ffffff; --minus: #b84d22; --zero: #e2e5e0; --plus: #1f6f8b;
    --weights: #8fbfd2; --requantizers: #e5b374; --code: #b7abdd; --bar: #4d94ae; --other: #b08a3e;
    --proven: #bfd9e3; --observed: #1f6f8b; --bound: #b3261e; --limit: #8b6914;
  }
  @media (prefers-color-scheme: dark) {
    :root {
      --paper: #14181b; --card: #1c2226; --ink: #e8ebe9; --quiet: #a3adb3; --edge: #343c42; --track: #272e33;
      --accent: #6cc0dc; --good: #7fd6a0; --good-paper: #1b3325; --bad: #ff9a90; --bad-paper: #421f1c;
      --ring: #2a5f76; --tensor: #7d5520; --scratch: #4f4580; --counters: #2c6640; --result: #7c3940; --rest: #5a6268;
      --block-edge: #9fb0ba; --on-fill: #10171b; --minus: #e38a5c; --zero: #343c42; --plus: #5fb4d2;
      --weights: #3c7d98; --requantizers: #8f6527; --code: #6357a0; --bar: #4f9cb8; --other: #c9a153;
      --proven: #2f5568; --observed: #7fd0ea; --bound: #ff8a80; --limit: #d8b24a;
    }
  }
  * { box-sizing: border-box; }
  body {
    margin: 0 auto; max-width: 1120px; padding: 28px 28px 48px; background: var(--paper); color: var(--ink);
    font: 15px/1.5 system-ui, -apple-system, Segoe UI, Roboto, Noto Sans, sans-serif; overflow-wrap: anywhere;
  }
  h1 { font-size: 2.1rem; line-height: 1.15; margin: 4px 0 2px; letter-spacing: -0.01em; }
  h2 { font-size: 1.3rem; margin: 0 0 2px; }
  h3 { font-size: 1rem; margin: 24px 0 0; }
  p { margin: 0 0 12px; }
  .lead { color: var(--quiet); max-width: 100ch; }
  .brand { display: flex; gap: 10px; align-items: center; color: var(--quiet); font-size: 13px; margin: 0; }
  .remark { color: var(--quiet); font-size: 14px; margin: 10px 0 0; max-width: 100ch; }
  section {
    background: var(--card); border: 1px solid var(--edge); border-radius: 10px; padding: 20px 22px 22px;
    margin-top: 20px;
  }
  footer { color: var(--quiet); font-size: 13px; margin-top: 20px; }
  .figures {
    display: grid; grid-template-columns: repeat(auto-fit, minmax(280px, 1fr)); gap: 12px; margin: 18px 0 4px;
  }
  .figure {
    background: var(--card); border: 1px solid var(--edge); border-radius: 10px; padding: 12px 14px;
    display: flex; flex-direction: column;
  }
  .figure .name { font-size: 13px; color: var(--quiet); }
  .figure .value { font-size: 1.5rem; font-weight: 650; line-height: 1.3; font-variant-numeric: tabular-nums; }
  .figure .note { font-size: 13px; color: var(--quiet); line-height: 1.4; }
  .figure.good .value { color: var(--good); }
  .warning { background: var(--bad-paper); border-radius: 8px; padding: 8px 12px; margin: 12px 0 0; }
  details { margin-top: 14px; }
  summary { cursor: pointer; color: var(--accent); font-size: 14px; }
  dl { display: grid; grid-template-columns: 6rem 1fr; gap: 2px 12px; font-size: 13px; margin: 8px 0 0; }
  dt { color: var(--quiet); } dd { margin: 0; font-family: ui-monospace, Consolas, monospace; }

  svg { display: block; overflow: hidden; }
  svg.plot { overflow: visible; }
  svg text { font: 12px system-ui, -apple-system, Segoe UI, Roboto, Noto Sans, sans-serif; fill: var(--ink); }
  svg text.strong { font-weight: 650; }
  svg text.quiet, svg tspan.quiet { fill: var(--quiet); }
  svg text.inside tspan.quiet { fill: var(--ink); opacity: 0.8; }
  .track { fill: var(--track); } .rail { fill: var(--edge); }
  .grid { stroke: var(--edge); stroke-width: 1; }
  .slot { stroke: var(--block-edge); stroke-width: 1; opacity: 0.22; }
  rect.block { stroke: var(--block-edge); stroke-width: 1; }
  svg.block:hover rect.block { stroke-width: 4; }
  /* The kind of a buffer sets its colour; its name has a halo of it, to be legible on the lines between rows. */
  .k-ring { --fill: var(--ring); } .k-tensor, .k-sums { --fill: var(--tensor); } .k-scratch { --fill: var(--scratch); }
  .k-counters { --fill: var(--counters); } .k-result { --fill: var(--result); }
  rect.block, .k-ring, .k-tensor, .k-sums, .k-scratch, .k-counters, .k-result { fill: var(--fill); }
  svg text.inside { stroke: var(--fill); stroke-width: 4px; paint-order: stroke; }
  svg text.on-fill { fill: var(--on-fill); }
  .rest { fill: var(--rest); }
  .f-weights { fill: var(--weights); } .f-requantizers { fill: var(--requantizers); } .f-code { fill: var(--code); }
  .minus { fill: var(--minus); } .zero { fill: var(--zero); } .plus { fill: var(--plus); }
  .bar { fill: var(--bar); } .other { fill: var(--other); } .reference { fill: var(--rest); }
  .proven { fill: var(--proven); } .observed { fill: var(--observed); }
  .line-bound { stroke: var(--bound); stroke-width: 2; stroke-dasharray: 5 3; }
  .line-budget { stroke: var(--ink); stroke-width: 2; }
  .line-limit { stroke: var(--limit); stroke-width: 1.5; stroke-dasharray: 2 2; }
  .line-zero { stroke: var(--quiet); stroke-width: 1; }
  .line-segment { stroke: var(--ink); stroke-width: 1.5; }
  path.lane { stroke: var(--bar); stroke-width: 2.5; vector-effect: non-scaling-stroke; }
  path.lane.input { stroke: var(--quiet); stroke-width: 1.5; }
  svg.swatch { display: inline-block; flex: none; }

  .timeline { display: grid; grid-template-columns: 7.5rem 1fr; }
  .lanes { row-gap: 7px; align-items: center; margin-top: 8px; }
  .lane-name {
    font-size: 13px; padding-right: 10px; text-align: right; overflow: hidden; text-overflow: ellipsis;
    white-space: nowrap;
  }
  .legend {
    list-style: none; display: flex; flex-wrap: wrap; gap: 4px 18px; padding: 0; margin: 10px 0; font-size: 13px;
  }
  .legend li { display: flex; gap: 7px; align-items: center; }
  .rows {
    display: grid; grid-template-columns: 7.5rem 1fr 17rem; gap: 10px 14px; align-items: center;
    margin-top: 10px;
  }
  .row-name { text-align: right; font-size: 14px; } .row-name.chosen { font-weight: 650; }
  .row-value { font-size: 13px; color: var(--quiet); } .row-value strong { color: var(--ink); }
  .badge {
    font-size: 11px; font-weight: 600; margin-left: 6px; padding: 1px 7px; border-radius: 9px;
    background: var(--good-paper); color: var(--good);
  }
  .gallery { display: flex; flex-wrap: wrap; gap: 22px 32px; margin-top: 12px; align-items: flex-start; }
  .gallery.small { display: grid; grid-template-columns: repeat(auto-fill, minmax(210px, 1fr)); }
  figure { margin: 0; max-width: 100%; min-width: 0; }
  figcaption { font-size: 13px; color: var(--quiet); margin-bottom: 6px; } figcaption strong { color: var(--ink); }
  svg.weights { max-width: 100%; height: auto; shape-rendering: crispEdges; }
  .ends { display: flex; justify-content: space-between; font-size: 12px; color: var(--quiet); margin: 2px 0 0; }
  figure .note { font-size: 12px; color: var(--quiet); margin: 0; }

  table { border-collapse: collapse; width: 100%; font-size: 14px; margin-top: 10px; }
  th {
    text-align: left; font-size: 13px; font-weight: 600; color: var(--quiet); padding: 6px 10px;
    vertical-align: bottom;
  }
  td { padding: 7px 10px; border-top: 1px solid var(--edge); vertical-align: top; font-variant-numeric: tabular-nums; }
  th:first-child, td:first-child { padding-left: 0; } th:last-child, td:last-child { padding-right: 0; }
  .cell { display: block; }
  .cell svg { margin-top: 3px; }
  .cell .kind { display: block; font-size: 13px; color: var(--quiet); }
  .shape { white-space: nowrap; }
  .number { display: block; } .number.none { color: var(--quiet); }
  .pill { border-radius: 9px; padding: 0 9px; font-weight: 650; }
  .good.pill, .seal.good { background: var(--good-paper); color: var(--good); }
  .bad.pill, .seal.bad { background: var(--bad-paper); color: var(--bad); }
  .seal { border-radius: 8px; padding: 8px 14px; display: inline-block; }

  @media (max-width: 720px) {
    body { padding: 16px 12px 32px; }
    section { padding: 16px 14px; }
    .figures { grid-template-columns: 1fr 1fr; } .figure.good { grid-column: 1 / -1; }
    path.lane { stroke-width: 1.5; } path.lane.input { stroke-width: 1; }
    .gallery.small { grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); }
    .timeline { grid-template-columns: 4.4rem 1fr; }
    .lane-name { font-size: 12px; padding-right: 6px; }
    .rows { grid-template-columns: 1fr; gap: 3px; }
    .row-name { text-align: left; margin-top: 8px; }
    .row-name:empty, .row-value:empty { display: none; }
    table.cards thead { display: none; }
    table.cards, table.cards tbody, table.cards tr { display: block; }
    table.cards tr { border-top: 1px solid var(--edge); padding: 10px 0; }
    table.cards td { display: grid; grid-template-columns: 8.5rem 1fr; gap: 8px; border: 0; padding: 2px 0; }
    table.cards td:has(.none), table.cards td:has(.cell:empty) { display: none; }
    table.cards td::before { content: attr(data-head); color: var(--quiet); font-size: 13px; }
  }
  @media print {
    body { max-width: none; padding: 0; }
    section { break-inside: avoid; }
  }

  """
