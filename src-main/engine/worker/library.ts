/**
 * What is used of node-llama-cpp 3.22. It is fetched into the data folder where a person wants it and is never there
 * when this program is compiled, so its types stand here.
 */
export interface LlamaLibrary {
  getLlama(options: {
    gpu: false | 'vulkan' | 'cuda' | 'metal'
    build: 'never'
    skipDownload: true
    progressLogs: false
    logLevel: 'error'
    logger(level: string, message: string): void
  }): Promise<Llama>
  LlamaChat: new (options: { contextSequence: Sequence; chatWrapper: ChatWrapper }) => LlamaChat
  LlamaCompletion: new (options: { contextSequence: Sequence }) => LlamaCompletion
  resolveChatWrapper(model: Model): ChatWrapper
}

/** The engine, started for one backend. */
export interface Llama {
  readonly cpuMathCores: number
  loadModel(options: {
    modelPath: string
    gpuLayers: number | { fitContext: { contextSize: number } }
    onLoadProgress(fraction: number): void
  }): Promise<Model>
  createGrammarForJsonSchema(schema: object): Promise<Grammar>
  getGrammarFor(kind: 'json'): Promise<Grammar>
}

declare const TOKEN: unique symbol
/** A token of the model's vocabulary. */
export type Token = number & { [TOKEN]: never }
/** Keeps an answer to a form. */
export type Grammar = object

/** A text with its special tokens. */
interface LlamaText {
  tokenize(tokenizer: unknown): Token[]
}

/** A loaded model. */
export interface Model {
  readonly gpuLayers: number
  readonly trainContextSize: number
  readonly fileInsights: { readonly totalLayers: number }
  readonly tokenizer: unknown
  readonly tokens: { readonly bos: Token | null; readonly shouldPrependBosToken: boolean }
  tokenize(text: string, specialTokens?: boolean): Token[]
  detokenize(tokens: readonly Token[]): string
  createContext(options: {
    contextSize: number
    sequences: number
    threads: number
  }): Promise<{ readonly contextSize: number; readonly batchSize: number; getSequence(): Sequence }>
  createEmbeddingContext(options: { contextSize: { max: number } }): Promise<EmbeddingContext>
}

/** What makes vectors of texts. */
export interface EmbeddingContext {
  getEmbeddingFor(input: string): Promise<{ vector: readonly number[] }>
}

/** One of the conversations that share a context and its KV cache. */
export interface Sequence {
  readonly contextSize: number
  readonly nextTokenIndex: number
  readonly needsCheckpoints: boolean
  readonly tokenMeter: { readonly usedInputTokens: number; readonly usedOutputTokens: number }
  compareContextTokens(tokens: Token[]): { firstDifferentIndex: number }
  adaptStateToTokens(tokens: Token[], allowShift: boolean): Promise<void>
  evaluateWithoutGeneratingNewTokens(tokens: Token[]): Promise<void>
  takeCheckpoint(): Promise<void>
  clearHistory(): Promise<void>
}

/** A part of a conversation. */
export type HistoryItem =
  | { type: 'system' | 'user'; text: string }
  | { type: 'model'; response: (string | FunctionCallItem)[] }

/** A tool that the model has called, with what came of it. */
interface FunctionCallItem {
  type: 'functionCall'
  name: string
  params: unknown
  result: unknown
}

/** The tools a model may call. */
export type Functions = Readonly<Record<string, { description?: string; params?: object }>>

/** What makes a text for the model of a conversation. */
export interface ChatWrapper {
  generateContextState(options: {
    chatHistory: readonly HistoryItem[]
    availableFunctions?: Functions
    documentFunctionParams?: boolean
  }): { contextText: LlamaText }
}

/** How tokens are drawn, and when it ends. */
interface GenerateOptions {
  signal: AbortSignal
  maxTokens: number
  temperature: number
  topP?: number
  topK?: number
  minP?: number
  seed?: number
  repeatPenalty?: false | { penalty?: number; frequencyPenalty?: number; presencePenalty?: number }
  grammar?: Grammar
  customStopTriggers?: readonly string[]
}

/** Why it ended. */
interface GenerateMetadata {
  stopReason: 'eogToken' | 'stopGenerationTrigger' | 'functionCalls' | 'maxTokens' | 'abort' | 'customStopTrigger'
}

/** Answers in a conversation. */
interface LlamaChat {
  generateResponse(
    history: readonly HistoryItem[],
    options: GenerateOptions & {
      functions?: Functions
      documentFunctionParams?: boolean
      maxParallelFunctionCalls?: number
      onResponseChunk(chunk: { type?: 'segment'; segmentType?: string; text: string }): void
    },
  ): Promise<{
    functionCalls?: readonly { functionName: string; params: unknown }[]
    metadata: GenerateMetadata
  }>
  dispose(): void
}

/** Goes on with a text. */
interface LlamaCompletion {
  generateCompletionWithMeta(
    input: Token[],
    options: GenerateOptions & { disableContextShift: true; onTextChunk(text: string): void },
  ): Promise<{ metadata: GenerateMetadata }>
  dispose(): void
}
