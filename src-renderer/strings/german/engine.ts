import { formatBytes } from '../format.js'
import { count, models, number } from './count.js'

/** Models that are run from their files, in German. */
export const engineGerman = {
  title: 'Modelle auf diesem Computer',
  intro:
    'Dieses Programm kann ein Modell direkt aus seiner Datei ausführen, ohne Modellserver. Es sucht in den Ordnern von Ollama, LM Studio, Hugging Face und llama.cpp und liest dort nur.',
  scan: 'Modelle suchen',
  rescan: 'Neu suchen',
  scanning: (files: number, found: number) =>
    `Suche: ${count(files, 'Datei', 'Dateien')} gesehen, bisher ${models(found)}`,
  cancel: 'Abbrechen',
  onDisk: (n: number) => `Du hast ${models(n)} auf der Platte`,
  onDiskHint: 'Wähle, was du teilst, und mit wem. Die Dateien bleiben, wo sie sind.',
  get: {
    title: 'So bekommst du einen Server oder ein Modell',
    titleWithServer: 'Es wurden keine Modelldateien gefunden.',
    text: 'Jedes von diesen lädt Modelle herunter und führt sie aus. Was du damit holst, erscheint hier.',
    ways: {
      ollama: 'Am schnellsten: installieren, dann „ollama pull“ mit dem Namen eines Modells.',
      lmStudio: 'Eine App mit Katalog: dort ein Modell aussuchen und herunterladen.',
      llamaCpp: 'Für die Kommandozeile: „llama-server -hf“ mit dem Namen eines Modells.',
    },
    own: 'Hast du schon eine .gguf-Datei? Nenne ihren Ordner unter',
    ownAction: 'engine.folders in den Einstellungen',
  },
  column: {
    model: 'Modell',
    visibility: 'Wer es benutzen darf',
    state: 'Zustand',
    size: 'Größe',
    context: 'Kontext',
    from: 'Gefunden in',
    actions: 'Aktionen',
  },
  share: 'Teilen',
  shareWith: (model: string) => `${model} mit allen teilen`,
  visibilityOf: (model: string) => `Wer ${model} benutzen darf`,
  visibility: { me: 'Dieser Computer', trusted: 'Leute, denen ich vertraue', everyone: 'Alle' },
  stop: 'Beenden',
  stopModel: (model: string) => `${model} nicht mehr anbieten`,
  stopped: (model: string) => `${model} wird nicht mehr angeboten.`,
  settings: 'Einstellungen',
  settingsOf: (model: string) => `Einstellungen von ${model}`,
  state: {
    idle: 'Lädt auf Anfrage',
    loading: 'Lädt',
    ready: 'Im Speicher',
    failed: 'Läuft nicht',
    waits: 'Braucht die Engine',
  },
  running: (slots: number, busy: number, memory: number) =>
    `${number(busy)} von ${number(slots)} Plätzen belegt, ${formatBytes(memory)} Speicher`,
  engine: {
    needed: (size: number, source: string) =>
      `Um Modelle auszuführen, wird einmal die Engine geladen: ${formatBytes(size)}${source === '' ? '' : ` von ${source}`}. Das geschieht, wenn du ein Modell teilst.`,
    install: 'Engine installieren',
    fetching: (done: number, total: number) =>
      `Die Engine wird geladen: ${formatBytes(done)} von ${formatBytes(total)}`,
    installed: (version: string, backend: string, size: number) =>
      `Engine ${version}, rechnet auf ${backend}, ${formatBytes(size)} auf der Platte.`,
    registry: 'engine.registry in den Einstellungen',
    remove: 'Engine entfernen',
    removed: 'Die Engine ist entfernt. Deine Modelle sind unberührt.',
    unsupported: 'Für diese Art Computer gibt es keine Engine. Benutze stattdessen einen Modellserver.',
    backend: {
      cpu: 'dem Prozessor',
      vulkan: 'der Grafikkarte (Vulkan)',
      cuda: 'der Grafikkarte (CUDA)',
      metal: 'der Grafikkarte (Metal)',
    },
    backendLabel: 'Worauf die Engine rechnet',
  },
  form: {
    context: 'Kontext',
    contextHelp: 'Tokens einer Anfrage samt Antwort. Leer: so viel, wie in den Speicher passt.',
    slots: 'Anfragen gleichzeitig',
    slotsHelp: 'Jede braucht Speicher für ihren Kontext. Leer: vier, oder weniger, wenn der Speicher knapp ist.',
    layers: 'Schichten auf der Grafikkarte',
    layersHelp: 'Leer: so viele, wie hineinpassen.',
    keep: 'Im Speicher behalten',
    keepHelp: 'Sonst wird der Speicher nach zehn Minuten ohne Anfrage frei, oder wie in den Einstellungen.',
    bad: 'Das muss eine passende ganze Zahl sein, oder leer.',
    save: 'Speichern',
    saved: 'Gespeichert.',
    measure: 'Tempo messen',
    measureHelp: 'Fragt das Modell nach einer kurzen Antwort; dauert höchstens eine Minute.',
    measuring: 'Wird gemessen',
    measured: (tokensPerS: number, promptMs: number) =>
      `${number(tokensPerS)} Tokens/s, ${number(Math.round(promptMs))} ms für 1.000 Prompt-Tokens`,
  },
}
