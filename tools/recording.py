"""Records the demo for docs/demo.md: `python tools/recording.py` starts over, runs it twice, and writes two pictures.

The pictures are SVG with CSS animations: they play in a browser and on GitHub without a script, and show the end of the
run where animations are off. Long waits are shortened; the times that the demo prints are those of the run.
"""

from __future__ import annotations

import html
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ("demo.svg", "demo-second.svg")

LINE, COLUMN, ROWS, COLUMNS = 17, 7.8, 34, 130
MARGIN, BAR = 16, 30
#: Seconds: the longest wait between two lines in the picture, and how long the last screen stays.
LONGEST, LAST = 2.0, 8.0

STYLE = """
  .back {{ fill: #11161d; }} .bar {{ fill: #1d2530; }} .dot {{ fill: #3b4756; }}
  text {{ font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #d5dde6;
         white-space: pre; }}
  .good {{ fill: #4fc38a; }} .soft {{ fill: #8494a6; }} .head {{ fill: #fff; font-weight: 600; }}
  .scroll {{ transform: translateY(-{bottom}px); }}
  .cover {{ transform: translateY({end}px); }}
  @media (prefers-reduced-motion: no-preference) {{
    .scroll {{ animation: scroll {seconds:.1f}s step-end infinite; }}
    .cover {{ animation: cover {seconds:.1f}s step-end infinite; }}
  }}
  @keyframes scroll {{ {scroll} }}
  @keyframes cover {{ {cover} }}
"""


def run() -> list[tuple[float, str]]:
    """Run the demo and return the lines that it prints, with the seconds since its start."""
    began, lines = time.time(), []
    command = [sys.executable, "demo"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:  # noqa: S603
        for line in process.stdout or ():
            shown = line.rstrip("\n").replace(str(ROOT), "~/singer-xero")
            lines.append((time.time() - began, shown))
            sys.stdout.write(line)
    if process.returncode:
        raise SystemExit(f"the demo ended with exit code {process.returncode}")
    return lines


def picture(lines: list[tuple[float, str]]) -> str:
    """Render a run as an animated SVG."""
    moments, now, before = [], 0.5, 0.0
    for at, _ in lines:
        now += min(at - before, LONGEST)
        before = at
        moments.append(now)
    seconds = now + LAST
    # Lines of one moment appear together: a table is printed at once.
    screens = {f"{100 * at / seconds:.2f}": row + 1 for row, at in enumerate(moments)}
    top = {percent: max(0, shown - ROWS) * LINE for percent, shown in screens.items()}
    scroll = [("0", 0), *((percent, -value) for percent, value in top.items())]
    cover = [("0", 0), *((percent, shown * LINE) for percent, shown in screens.items())]
    end = len(lines) * LINE
    bottom = max(0, len(lines) - ROWS) * LINE
    width, height = round(COLUMNS * COLUMN + 2 * MARGIN), ROWS * LINE + BAR + 2 * MARGIN
    style = STYLE.format(
        seconds=seconds,
        bottom=bottom,
        end=end,
        scroll=_keyframes(scroll),
        cover=_keyframes(cover),
    )
    texts = "\n".join(_text(row, line) for row, (_, line) in enumerate(lines) if line.strip())
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">
<title>A recording of the demo</title>
<style>{style}</style>
<rect class="back" width="{width}" height="{height}" rx="10"/>
<svg x="{MARGIN}" y="{BAR + MARGIN}" width="{width - 2 * MARGIN}" height="{ROWS * LINE}" overflow="hidden">
<g class="scroll">
{texts}
<rect class="back cover" width="{width}" height="{end + ROWS * LINE}"/>
</g>
</svg>
<path class="bar" d="M0 {BAR}V10a10 10 0 0 1 10-10h{width - 20}a10 10 0 0 1 10 10V{BAR}z"/>
<circle class="dot" cx="20" cy="15" r="5"/><circle class="dot" cx="38" cy="15" r="5"/>
<circle class="dot" cx="56" cy="15" r="5"/><text class="soft" x="76" y="19">$ make demo</text>
</svg>
"""


def _keyframes(steps: list[tuple[str, int]]) -> str:
    """The steps that differ from the one before."""
    shown, before = [], None
    for percent, value in steps:
        if value != before:
            shown.append(f"{percent}% {{ transform: translateY({value}px) }}")
        before = value
    return " ".join(shown)


def _text(row: int, line: str) -> str:
    """One line of the terminal."""
    kind = ""
    if line.lstrip().startswith("✓"):
        kind = ' class="good"'
    elif line.startswith("      ") or set(line.strip()) == {"─"}:
        kind = ' class="soft"'
    elif line[0] != " ":
        kind = ' class="head"'
    # All letters of a terminal have the same width; a combining accent has none.
    columns = sum(not unicodedata.combining(letter) for letter in line)
    fixed = f' textLength="{columns * COLUMN:.1f}"'
    return f'<text x="0" y="{row * LINE + 13}"{kind}{fixed} xml:space="preserve">{html.escape(line)}</text>'


def main() -> None:
    """Record two runs, a business day apart."""
    subprocess.run([sys.executable, "demo", "--reset"], cwd=ROOT, check=True)
    for name in PICTURES:
        (ROOT / "docs" / name).write_text(picture(run()), encoding="utf-8")


if __name__ == "__main__":
    main()
