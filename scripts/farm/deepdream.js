// SPDX-License-Identifier: GPL-3.0-or-later
// Flamenco's job type: frames are rendered in parallel, dreamed shot by shot, composited in parallel. All tasks share one cache
// folder. Put it into the manager's `scripts` folder; see docs/farms.md.

const SHOTS =
    "(lambda s: ','.join(f'{a}-{b}' for a, b in (lambda c: zip(c, [n - 1 for n in c[1:]] + [s.frame_end]))(" +
    "sorted({s.frame_start} | {m.frame for m in s.timeline_markers if m.camera and s.frame_start < m.frame <= s.frame_end})" +
    ")))(C.scene)";

const JOB_TYPE = {
    label: "DeepDream",
    description: "Render, dream and composite a sequence of frames",
    settings: [
        { key: "frames", type: "string", required: true, eval: "f'{C.scene.frame_start}-{C.scene.frame_end}'",
          evalInfo: { showLinkButton: true, description: "Scene frame range" },
          description: "Frames to render and composite. Examples: '47', '1-30', '3, 5-10, 47-327'" },
        { key: "shots", type: "string", required: true, eval: SHOTS,
          evalInfo: { showLinkButton: true, description: "Shots, from markers with cameras" },
          description: "Frame ranges that are dreamed each in one go, as one frame hangs on to the one before" },
        { key: "chunk_size", type: "int32", default: 10, description: "Frames of a render or composite task",
          visible: "submission" },
        { key: "output", type: "string", default: "", description: "Like //out/####.png; empty for the scene's own" },
        { key: "cache", type: "string", required: true, subtype: "dir_path", default: "//deepdream",
          description: "Where all tasks find what the others have made" },
        { key: "server", type: "string", default: "",
          description: "Address of a dream server; empty for one of each task's own" },
        { key: "token_file", type: "string", default: "", description: "File with the server's token" },
        { key: "script", type: "string", default: "",
          description: "DeepDream's render.py; empty where the extension is installed on the workers" },
        { key: "blendfile", type: "string", required: true, description: "Path of the Blend file", visible: "web" },
    ],
};

function compileJob(job) {
    const settings = job.settings;
    if (!settings.shots.trim()) throw "There are no shots to dream: give frame ranges like 1-48,49-120.";
    const chunks = frameChunker(settings.frames, settings.chunk_size);
    if (!chunks.length) throw "There are no frames to render: give frames like 1-240.";

    const renders = chunks.map((chunk) => stage(settings, "render", chunk, []));
    const dreams = settings.shots.split(",").map((shot) => stage(settings, "dream", shot.trim(), renders));
    const composites = chunks.map((chunk) => stage(settings, "composite", chunk, dreams));
    [...renders, ...dreams, ...composites].forEach((task) => job.addTask(task));
}

// One task; `after`: those that must have ended.
function stage(settings, name, frames, after) {
    const task = author.Task(`${name}-${frames}`, "blender");
    const how = settings.script ? ["--python-exit-code", "1", "--python", settings.script, "--"] : ["--command", "deepdream"];
    task.addCommand(author.Command("blender-render", {
        exe: "{blender}",
        exeArgs: "{blenderArgs}",
        argsBefore: [],
        blendfile: settings.blendfile,
        args: how.concat(["--stage", name, "--frames", frames, "--cache", settings.cache, "--output", settings.output,
                          "--server", settings.server, "--token-file", settings.token_file]),
    }));
    after.forEach((earlier) => task.addDependency(earlier));
    return task;
}
