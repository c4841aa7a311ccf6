# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast the product is, and how much memory it takes.

    python scripts/benchmark.py dream --architecture googlenet --random-weights --layer inception4c --size 512 \\
        --steps 10 --octave-sizes 224,295,389,512 --threads 2
    python scripts/benchmark.py memory
    python scripts/benchmark.py start
    python scripts/benchmark.py coherence
    python scripts/benchmark.py coherence --drift
    python scripts/benchmark.py train
    python scripts/benchmark.py surface
    python scripts/benchmark.py scale
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch


def main() -> None:
    options = _parser().parse_args()
    torch.set_num_threads(options.threads)
    found = options.run(options)
    print(json.dumps(found, indent=2) if options.json else options.show(found))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    dream = commands.add_parser("dream", help="our dream beside a plain loop, in turn")
    dream.set_defaults(run=_dream, show=_dream_table)
    dream.add_argument("--size", type=int, default=512, help="side of the image (default: 512)")
    dream.add_argument("--octave-sizes", help="sides of the octaves, like 224,295,389,512 (default: four, at 1.4)")
    dream.add_argument("--steps", type=int, default=10, help="in each octave (default: 10)")
    dream.add_argument("--rounds", type=int, default=5, help="how often each way is timed (default: 5)")
    dream.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    dream.add_argument("--cpu-time", action="store_true", help="processor time: for a machine that does other things")
    memory = commands.add_parser("memory", help="peak resident memory by size, and how seams show")
    memory.set_defaults(run=_memory, show=_memory_table)
    memory.add_argument("--sizes", default="1024,2048,5400", help="sides of the images (default: 1024,2048,5400)")
    memory.add_argument("--steps", type=int, default=1, help="in the one octave that is measured (default: 1)")
    memory.add_argument("--precision", default="auto")
    start = commands.add_parser("start", help="from a job's arrival on a warm server to its first forward pass")
    start.set_defaults(run=_start, show=_start_table)
    start.add_argument("--size", type=int, default=512, help="side of the images (default: 512)")
    start.add_argument("--rounds", type=int, default=15, help="how many jobs (default: 15)")
    for command in (dream, memory):
        command.add_argument("--architecture", default="googlenet", help="torchvision's name (default: googlenet)")
        command.add_argument(
            "--random-weights", action="store_true", help="always so, said or not: others take the same time"
        )
        command.add_argument("--layer", default="inception4c")
    coherence = commands.add_parser("coherence", help="how much animations flicker, ours and others' ways")
    coherence.set_defaults(run=_coherence, show=_coherence_table)
    coherence.add_argument("--folder", type=Path, default=Path("out/shots"), help="rendered shots (default: out/shots)")
    coherence.add_argument("--shots", default="orbit,crossing,pan", help="which of them")
    coherence.add_argument("--frames", type=int, help="default: 24; of a long shot 120")
    coherence.add_argument("--drift", action="store_true", help="instead: whether a long shot changes by and by")
    coherence.add_argument("--pictures", type=Path, metavar="DIR", help="leave strips and animations here")
    train = commands.add_parser("train", help="our training beside a plain loop, in turn")
    train.set_defaults(run=_train, show=_train_table)
    train.add_argument("--folder", type=Path, help="pictures to learn from (default: 320 that are made up)")
    train.add_argument("--batch", type=int, default=32, help="pictures in a batch (default: 32)")
    train.add_argument("--steps", type=int, default=5, help="of each in a round (default: 5)")
    train.add_argument("--rounds", type=int, default=5, help="how often each is timed (default: 5)")
    train.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    train.add_argument("--cpu-time", action="store_true", help="processor time: for a machine that does other things")
    surface = commands.add_parser("surface", help="a dream of a surface: time, memory, seams, coverage, other views")
    surface.set_defaults(run=_surface, show=_surface_table)
    surface.add_argument(
        "--folder", type=Path, default=Path("out/surface"), help="rendered views (default: out/surface)"
    )
    surface.add_argument("--views", type=int, default=36, help="how many (default: 36)")
    surface.add_argument("--side", type=int, default=384, help="of each view (default: 384)")
    surface.add_argument("--size", type=int, default=2048, help="of the texture (default: 2048)")
    surface.add_argument("--quick", action="store_true", help="time and memory alone")
    scale = _add_scale(commands)
    for command in (dream, memory, start, coherence, train, surface, scale):
        command.add_argument("--threads", type=int, default=2)
        command.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    return parser


def _add_scale(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    scale = commands.add_parser("scale", help="small jobs on Ray: what it costs each, what a second dreamer brings")
    scale.set_defaults(run=_scale, show=_scale_table)
    scale.add_argument("--size", type=int, default=160, help="side of the images (default: 160)")
    scale.add_argument("--steps", type=int, default=10, help="of each job (default: 10)")
    scale.add_argument("--jobs", type=int, default=6, help="in each round (default: 6)")
    scale.add_argument("--rounds", type=int, default=4, help="how often each server is timed (default: 4)")
    return scale


def _dream(options: argparse.Namespace) -> dict[str, Any]:
    from benchmark_dream import Task, measure

    from blender_deepdream.server.dreaming import choose_device

    sides = [options.size / 1.4**octave for octave in (3, 2, 1, 0)]
    if options.octave_sizes:
        sides = [int(side) for side in options.octave_sizes.split(",")]
    whole = tuple(round(side) for side in sides)
    clock = time.process_time if options.cpu_time else time.perf_counter
    device = choose_device(options.device, options.threads)
    task = Task(options.architecture, options.layer, options.steps, whole, device, clock)
    return measure(task, options.rounds)


def _dream_table(found: dict[str, Any]) -> str:
    lines = [f"{found['gflop']:.0f} GFLOP, {found['threads']} threads, median of {found['rounds']} rounds", ""]
    lines += ["              seconds  ratio  GFLOP/s  of matrix rate  objective"]
    for name in ("plain", "float32", "bfloat16", "float16"):
        if f"seconds_{name}" in found:
            values = [found[f"{key}_{name}"] for key in ("seconds", "gflops", "share_of_matrix", "objective")]
            ratio = found.get(f"ratio_{name}", 1.0)
            lines.append(
                f"{name:12}  {values[0]:7.2f}  {ratio:5.2f}  {values[1]:7.0f}  {values[2]:14.0%}  {values[3]:.5g}"
            )
    return "\n".join(lines)


def _memory(options: argparse.Namespace) -> dict[str, Any]:
    from benchmark_memory import measure

    return measure(options, [int(side) for side in options.sizes.split(",")])


def _memory_table(found: dict[str, Any]) -> str:
    lines = [
        f"{side:>5} x {side:<5}  {one['peak_gib']:.2f} GiB  {one['seconds']:.0f} s"
        for side, one in found["sizes"].items()
    ]
    return "\n".join([*lines, f"seams: {found['seams']:.3f} of the gradient elsewhere"])


def _start(options: argparse.Namespace) -> dict[str, Any]:
    from benchmark_start import measure

    return measure(options.size, options.rounds, options.threads)


def _start_table(found: dict[str, Any]) -> str:
    median, worst, target = found["milliseconds"], found["worst"], found["target"]
    return f"arrival to first forward pass: median {median:.1f} ms, worst {worst:.1f} ms (target: {target:.0f} ms)"


def _coherence(options: argparse.Namespace) -> dict[str, Any]:
    if options.drift:
        from benchmark_drift import compare as compare_long

        return dict(compare_long(options.folder, options.frames or 120, options.pictures))
    from benchmark_coherence import compare

    return dict(compare(options.folder, options.shots.split(","), options.frames or 24, options.pictures))


def _coherence_table(found: dict[str, Any]) -> str:
    if "alone" in found:
        from benchmark_drift import as_text as drift_as_text

        return drift_as_text(found)
    from benchmark_coherence import as_text

    return as_text(found)


def _train(options: argparse.Namespace) -> dict[str, Any]:
    from benchmark_train import Loop, measure

    clock = time.process_time if options.cpu_time else time.perf_counter
    loop = Loop(torch.device(options.device), clock)
    return measure(options.folder, options.rounds, options.steps, options.batch, loop)


def _train_table(found: dict[str, Any]) -> str:
    rates = [f"{name}: {found[f'images_per_second_{name}']:.1f} images per second" for name in ("ours", "plain")]
    memory = ", ".join(f"{mib:.0f}" for mib in found["resident_mib"])
    ratio = f"ratio: {found['ratio']:.3f} (median of {len(found['ratios'])} rounds)"
    return "\n".join([*rates, ratio, f"resident memory after each round, MiB: {memory}"])


def _surface(options: argparse.Namespace) -> dict[str, Any]:
    from benchmark_surface import measure

    return measure(options.folder, options.views, options.side, options.size, qualities=not options.quick)


def _surface_table(found: dict[str, Any]) -> str:
    from benchmark_surface import as_text

    return as_text(found)


def _scale(options: argparse.Namespace) -> dict[str, Any]:
    from benchmark_scale import measure

    return measure(options.size, options.steps, options.jobs, options.rounds)


def _scale_table(found: dict[str, Any]) -> str:
    from benchmark_scale import as_text

    return as_text(found)


if __name__ == "__main__":
    main()
