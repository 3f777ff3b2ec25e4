import type { Visibility } from '#shared/contract/sharing/visibility.js'
import { count, formatBytes } from '../format.js'

/** Words of models that are run from their files. */
export const engineStrings = {
  title: 'Models on this computer',
  intro:
    'This program can run a model from its file, without a model server. It looks in the folders of Ollama, LM Studio, Hugging Face and llama.cpp, and changes nothing there.',
  scan: 'Look for models',
  rescan: 'Look again',
  scanning: (files: number, models: number) =>
    `Looking: ${count(files, 'file')} seen, ${count(models, 'model')} found so far`,
  cancel: 'Cancel',
  onDisk: (models: number) => `You have ${count(models, 'model')} on disk`,
  onDiskHint: 'Choose what to share, and with whom. The files stay where they are.',
  get: {
    title: 'Get a server or a model: here is how',
    titleWithServer: 'No model files were found.',
    text: 'Each of these downloads models and runs them. Models you download with one appear here.',
    ways: {
      ollama: 'The quickest way: install it, then run “ollama pull” with the name of a model.',
      lmStudio: 'An app with a catalogue: choose a model there, and download it.',
      llamaCpp: 'For the command line: “llama-server -hf” with the name of a model.',
    },
    own: 'Already have a .gguf file? Add its folder under',
    ownAction: 'engine.folders in Settings',
  },
  column: {
    model: 'Model',
    visibility: 'Who may use it',
    state: 'State',
    size: 'Size',
    context: 'Context',
    from: 'Found in',
    actions: 'Actions',
  },
  share: 'Share',
  shareWith: (model: string) => `Share ${model} with everyone`,
  visibilityOf: (model: string) => `Who may use ${model}`,
  visibility: { me: 'This computer', trusted: 'People I trust', everyone: 'Everyone' } satisfies Record<
    Visibility,
    string
  >,
  stop: 'Stop',
  stopModel: (model: string) => `Stop serving ${model}`,
  stopped: (model: string) => `${model} is no longer served.`,
  settings: 'Settings',
  settingsOf: (model: string) => `Settings of ${model}`,
  state: {
    idle: 'Loads when asked',
    loading: 'Loading',
    ready: 'In memory',
    failed: 'Can’t run',
    waits: 'Needs the engine',
  },
  running: (slots: number, busy: number, memory: number) =>
    `${busy} of ${slots} slots busy, ${formatBytes(memory)} of memory`,
  engine: {
    needed: (size: number, source: string) =>
      `Running models takes the engine, a one-time download: ${formatBytes(size)}${source === '' ? '' : ` from ${source}`}. Sharing a model starts it.`,
    install: 'Install the engine',
    fetching: (done: number, total: number) => `Downloading the engine: ${formatBytes(done)} of ${formatBytes(total)}`,
    installed: (version: string, backend: string, size: number) =>
      `Engine ${version}, runs on ${backend}, ${formatBytes(size)} on disk.`,
    registry: 'engine.registry in Settings',
    remove: 'Remove the engine',
    removed: 'The engine was removed. Your models are untouched.',
    unsupported: 'There is no engine for this kind of computer. Use a model server instead.',
    backend: { cpu: 'the processor', vulkan: 'the GPU (Vulkan)', cuda: 'the GPU (CUDA)', metal: 'the GPU (Metal)' },
    backendLabel: 'What the engine runs on',
  },
  form: {
    context: 'Context',
    contextHelp: 'Tokens for one request and its answer. Leave it empty to fit the memory.',
    slots: 'Requests at once',
    slotsHelp: 'Each needs memory for its context. Empty means four, or fewer if memory is short.',
    layers: 'Layers on the GPU',
    layersHelp: 'Leave it empty for as many as fit.',
    keep: 'Keep it in memory',
    keepHelp: 'Otherwise it is unloaded after ten idle minutes, or the time in Settings.',
    bad: 'Enter a whole number in range, or leave it empty.',
    save: 'Save',
    saved: 'Saved.',
    measure: 'Measure speed',
    measureHelp: 'Asks the model for a short answer; takes a minute at most.',
    measuring: 'Measuring',
    measured: (tokensPerS: number, promptMs: number) =>
      `${tokensPerS} tokens/s, ${Math.round(promptMs)} ms for 1,000 prompt tokens`,
  },
}
