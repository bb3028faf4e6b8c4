"""The Markdown table of a cross-validation."""

import numpy as np

NAMES = {
    "float": "FP32",
    "ternary": "ternary, float simulation",
    "interpreter": "interpreter",
    "c": "emitted C",
}
MISSING = "not measured"


def hits(record: dict, kind: str) -> int | None:
    answers = record["answers"].get(kind)
    return None if answers is None else int(np.sum(np.equal(answers, record["labels"])))


def _percent(part: int | None, whole: int) -> str:
    return MISSING if part is None else f"{100 * part / whole:.2f} % ({part})"


def _total(records: list[dict], kind: str) -> int | None:
    found = [hits(record, kind) for record in records]
    return None if None in found else sum(found)


def _drop(records: list[dict], kind: str) -> str:
    total, base = _total(records, kind), _total(records, "float")
    if total is None:
        return MISSING
    return f"{100 * (base - total) / sum(len(r['labels']) for r in records):+.2f} points"


def _different(records: list[dict], a: str, b: str) -> str:
    if _total(records, a) is None or _total(records, b) is None:
        return MISSING
    pairs = [zip(r["answers"][a], r["answers"][b], strict=True) for r in records]
    return str(sum(p != q for pair in pairs for p, q in pair))


def markdown(name: str, records: list[dict]) -> str:
    samples = sum(len(record["labels"]) for record in records)
    lines = [
        f"# Cross-validation: {name}",
        "",
        f"{samples} test samples in {len(records)} folds, `{records[0]['arch']}` "
        f"({records[0]['parameters']} parameters), last epoch, in brackets samples right.",
        "",
        "| fold | samples | " + " | ".join(NAMES.values()) + " | zeros | bias bits | seconds |",
        "|---" * (len(NAMES) + 5) + "|",
    ]
    for record in records:
        count = len(record["labels"])
        cells = [_percent(hits(record, kind), count) for kind in NAMES]
        lines.append(
            f"| {record['fold']} | {count} | {' | '.join(cells)} | {100 * record['zeros']:.1f} % "
            f"| {record['bias_bits']} | {record['seconds']} |"
        )
    cells = [_percent(_total(records, kind), samples) for kind in NAMES]
    zeros = 100 * np.mean([record["zeros"] for record in records])
    bits = max(record["bias_bits"] for record in records)
    lines.append(f"| all | {samples} | {' | '.join(cells)} | {zeros:.1f} % | {bits} | |")
    drops = [_drop(records, kind) for kind in NAMES if kind != "float"]
    lines.append(f"| drop from FP32 | | | {' | '.join(drops)} | | | |")
    unequal = [record["logits_differ"] for record in records]
    wrong = max(c["largest"] / c["range"] for r in records for c in r["checks"])
    lines += [
        "",
        f"- Samples whose class differs, float simulation against interpreter: "
        f"{_different(records, 'ternary', 'interpreter')}.",
        f"- Logits that differ, interpreter against emitted C: "
        f"{MISSING if None in unequal else sum(unequal)}.",
        f"- QONNX and QCDQ files against PyTorch: logits within {100 * wrong:.2f} % of their "
        f"range, other class: "
        f"{sum(c['samples'] - c['same_class'] for r in records for c in r['checks'])} samples.",
        "",
    ]
    return "\n".join(lines)
