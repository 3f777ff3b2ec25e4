import type { ModelView } from '#shared/contract/models/models.js'

/** The tools that `ocf launch` starts. */
export const TOOL_NAMES = ['claude', 'codex', 'opencode', 'aider'] as const
/** One of the tools that `ocf launch` starts. */
export type ToolName = (typeof TOOL_NAMES)[number]

/** What a tool is pointed at. */
interface LaunchTarget {
  /** The gateway, without `/v1`. */
  gatewayUrl: string
  /** What the gateway asks for; any text where it asks for none. */
  key: string
  model: Pick<ModelView, 'id' | 'contextLength' | 'capabilities'>
  /** A folder for what the tool keeps when it is started this way; the person's own is left alone. */
  folder: string
}

/** How a tool is started for one target. */
export interface Launch {
  /** Variables it gets; undefined takes one of the person's away. */
  env: Readonly<Record<string, string | undefined>>
  /** Arguments that come before the person's. */
  args: readonly string[]
  /** Files in the folder, by name; `once` keeps one that is there, because the tool goes on writing it. */
  files: readonly { name: string; text: string; once?: true }[]
  /**
   * Folders that stand in for one of the person's: all in it but what is the tool's own is there too, by links, for the
   * programs that the tool runs.
   */
  standIns?: readonly StandIn[]
}

/** One folder in place of another. */
interface StandIn {
  /** The variable that names it. */
  variable: string
  /** Below the tool's folder. */
  name: string
  /** Where it is without the variable, below the home folder. */
  usual: string
  /** What in it is the tool's own. */
  own: string
}

/** A tool that speaks to the gateway, and what it takes. */
interface Tool {
  /** As a person knows it. */
  title: string
  /** The program in the PATH. */
  program: string
  /** How to get it. */
  install: string
  /** Tokens that its own prompt and a first task take; a model of less gives no useful answer. */
  leastContext: number
  /** It works through the tools of a model. */
  wantsTools: boolean
  launch(target: LaunchTarget): Launch
}

/** The model's name where a tool puts the provider before it. */
const PROVIDER = 'ocf'

/** JSON's escapes are TOML's too, except for DEL. */
const tomlText = (text: string): string => JSON.stringify(text.toWellFormed()).replaceAll('\u007f', '\\u007f')

/** What leads to another provider than the gateway. */
const NOT_ANTHROPIC = {
  ANTHROPIC_API_KEY: undefined,
  ANTHROPIC_CUSTOM_HEADERS: undefined,
  CLAUDE_CODE_OAUTH_TOKEN: undefined,
  CLAUDE_CODE_USE_BEDROCK: undefined,
  CLAUDE_CODE_USE_VERTEX: undefined,
  CLAUDE_CODE_USE_FOUNDRY: undefined,
}

const claude: Tool = {
  title: 'Claude Code',
  program: 'claude',
  install: 'npm install -g @anthropic-ai/claude-code',
  leastContext: 32_000,
  wantsTools: true,
  launch: ({ gatewayUrl, key, model, folder }) => {
    const { id, contextLength } = model
    return {
      env: {
        ...NOT_ANTHROPIC,
        CLAUDE_CONFIG_DIR: folder,
        ANTHROPIC_BASE_URL: gatewayUrl,
        ANTHROPIC_AUTH_TOKEN: key,
        ANTHROPIC_MODEL: id,
        // It asks smaller models for titles and sub-tasks: all of them are this one.
        ANTHROPIC_DEFAULT_OPUS_MODEL: id,
        ANTHROPIC_DEFAULT_SONNET_MODEL: id,
        ANTHROPIC_DEFAULT_HAIKU_MODEL: id,
        CLAUDE_CODE_SUBAGENT_MODEL: id,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        CLAUDE_CODE_ATTRIBUTION_HEADER: '0',
        ...(contextLength === undefined
          ? {}
          : {
              CLAUDE_CODE_MAX_CONTEXT_TOKENS: String(contextLength),
              CLAUDE_CODE_AUTO_COMPACT_WINDOW: String(contextLength),
            }),
      },
      args: [],
      // Without this its first start asks for an account.
      files: [{ name: '.claude.json', text: '{"hasCompletedOnboarding":true}\n', once: true }],
    }
  },
}

const codex: Tool = {
  title: 'Codex',
  program: 'codex',
  install: 'npm install -g @openai/codex',
  leastContext: 32_000,
  wantsTools: true,
  launch: ({ gatewayUrl, key, model, folder }) => {
    const { id, contextLength } = model
    const provider = `{name="Open Compute",base_url=${tomlText(`${gatewayUrl}/v1`)},env_key="OCF_API_KEY",wire_api="responses"}`
    const values = [
      `model=${tomlText(id)}`,
      `model_provider="${PROVIDER}"`,
      `model_providers.${PROVIDER}=${provider}`,
      ...(contextLength === undefined ? [] : [`model_context_window=${contextLength}`]),
      'check_for_update_on_startup=false',
      'analytics.enabled=false',
      // That would be a search by OpenAI's servers.
      'web_search="disabled"',
    ]
    return {
      env: { CODEX_HOME: folder, OCF_API_KEY: key, OPENAI_API_KEY: undefined, CODEX_API_KEY: undefined },
      args: values.flatMap((value) => ['-c', value]),
      files: [],
    }
  },
}

const opencode: Tool = {
  title: 'OpenCode',
  program: 'opencode',
  install: 'npm install -g opencode-ai',
  leastContext: 16_000,
  wantsTools: true,
  launch: ({ gatewayUrl, key, model }) => {
    const { id, contextLength, capabilities } = model
    const config = {
      $schema: 'https://opencode.ai/config.json',
      model: `${PROVIDER}/${id}`,
      small_model: `${PROVIDER}/${id}`,
      enabled_providers: [PROVIDER],
      autoupdate: false,
      share: 'disabled',
      provider: {
        [PROVIDER]: {
          npm: '@ai-sdk/openai-compatible',
          name: 'Open Compute',
          options: { baseURL: `${gatewayUrl}/v1`, apiKey: '{env:OCF_API_KEY}' },
          models: {
            [id]: {
              name: id,
              tool_call: true,
              ...(capabilities?.includes('vision') === true ? { attachment: true } : {}),
              ...(contextLength === undefined
                ? {}
                : { limit: { context: contextLength, output: outputOf(contextLength) } }),
            },
          },
        },
      },
    }
    return {
      env: {
        OCF_API_KEY: key,
        OPENCODE_CONFIG: undefined,
        OPENCODE_CONFIG_CONTENT: JSON.stringify(config),
        OPENCODE_DISABLE_AUTOUPDATE: '1',
        OPENCODE_DISABLE_MODELS_FETCH: '1',
      },
      args: [],
      files: [],
      // It writes into the configuration that it finds.
      standIns: [
        { variable: 'XDG_CONFIG_HOME', name: 'config', usual: '.config', own: 'opencode' },
        { variable: 'XDG_DATA_HOME', name: 'data', usual: '.local/share', own: 'opencode' },
        { variable: 'XDG_STATE_HOME', name: 'state', usual: '.local/state', own: 'opencode' },
      ],
    }
  },
}

/** A quarter of the context for an answer, the rest for what it answers to. */
const outputOf = (contextLength: number): number => Math.min(32_000, Math.ceil(contextLength / 4))

const METADATA = 'models.json'

const aider: Tool = {
  title: 'aider',
  program: 'aider',
  install: 'python -m pip install aider-install && aider-install',
  leastContext: 8_000,
  wantsTools: false,
  launch: ({ gatewayUrl, key, model, folder }) => {
    const { id, contextLength } = model
    const name = `openai/${id}`
    const metadata = {
      [name]: { max_input_tokens: contextLength, litellm_provider: 'openai', mode: 'chat' },
    }
    return {
      env: {
        OPENAI_API_BASE: `${gatewayUrl}/v1`,
        OPENAI_API_KEY: key,
        AIDER_OPENAI_API_BASE: `${gatewayUrl}/v1`,
        AIDER_OPENAI_API_KEY: key,
        AIDER_MODEL: name,
        AIDER_WEAK_MODEL: name,
        AIDER_EDITOR_MODEL: name,
        AIDER_MODEL_METADATA_FILE: `${folder}/${METADATA}`,
        AIDER_CHECK_UPDATE: 'false',
        AIDER_ANALYTICS: 'false',
        AIDER_SHOW_MODEL_WARNINGS: 'false',
      },
      args: [],
      files: [{ name: METADATA, text: `${JSON.stringify(metadata, null, 2)}\n` }],
    }
  },
}

/** Every tool by its name on the command line. */
export const TOOLS: Readonly<Record<ToolName, Tool>> = { claude, codex, opencode, aider }
