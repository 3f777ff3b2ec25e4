import { strings } from '../../strings.js'

/** Where an app sends its requests: the gateway without and with `/v1`, and a model that answers. */
interface AppTarget {
  gateway: string
  base: string
  model: string
}

/** How one app is connected. */
interface AppText {
  name: string
  /** Where the code goes, or what to know before; undefined for what runs in a terminal as it is. */
  where?: string
  code: (target: AppTarget) => string
  /** The version that was seen to work with this gateway, and when; null: these are its documented settings. */
  tried: string | null
}

const { where } = strings.home.apps

/** A word that a shell takes as it is. */
const sh = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)
const json = (text: string): string => JSON.stringify(text)

const curlBody = (model: string): string => `{
    "model": ${json(model)},
    "messages": [{"role": "user", "content": "Say hello."}]
  }`

/** Every app there is a tab for, in the order of the tabs. */
export const APPS: readonly AppText[] = [
  {
    name: 'curl',
    tried: '7.88, 2026-11-29',
    code: ({ base, model }) => `curl ${base}/chat/completions \\
  -H 'Content-Type: application/json' \\
  -d '${curlBody(model).replaceAll("'", `'\\''`)}'`,
  },
  {
    name: 'Claude Code',
    where: where.launch,
    tried: '2.1.332, 2026-11-29',
    code: ({ gateway, model }) => `ocf launch claude --model ${sh(model)}

ANTHROPIC_BASE_URL=${gateway} ANTHROPIC_AUTH_TOKEN=none \\
ANTHROPIC_MODEL=${sh(model)} claude`,
  },
  {
    name: 'Codex',
    where: where.codex,
    tried: '0.171.0, 2026-11-29',
    code: ({ base, model }) => `ocf launch codex --model ${sh(model)}

model = ${json(model)}
model_provider = "ocf"
[model_providers.ocf]
name = "Open Compute"
base_url = "${base}"
wire_api = "responses"`,
  },
  {
    name: 'OpenCode',
    where: where.opencode,
    tried: '1.18.33, 2026-11-29',
    code: ({ base, model }) => `ocf launch opencode --model ${sh(model)}

{
  "model": ${json(`ocf/${model}`)},
  "provider": {
    "ocf": {
      "npm": "@ai-sdk/openai-compatible",
      "options": { "baseURL": "${base}", "apiKey": "none" },
      "models": { ${json(model)}: {} }
    }
  }
}`,
  },
  {
    name: 'aider',
    where: where.launch,
    tried: '0.86.2, 2026-11-29',
    code: ({ base, model }) => `ocf launch aider --model ${sh(model)}

OPENAI_API_BASE=${base} OPENAI_API_KEY=none \\
aider --model ${sh(`openai/${model}`)}`,
  },
  {
    name: 'Cline',
    where: where.cline,
    tried: null,
    code: ({ base, model }) => `API Provider: OpenAI Compatible
Base URL:     ${base}
API Key:      none
Model ID:     ${model}`,
  },
  {
    name: 'Continue',
    where: where.continue,
    tried: null,
    code: ({ base, model }) => `models:
  - name: ${json(model)}
    provider: openai
    model: ${json(model)}
    apiBase: ${base}
    apiKey: none
    roles: [chat, edit, apply]`,
  },
  {
    name: 'Cursor',
    where: where.cursor,
    tried: null,
    code: ({ model }) => `OpenAI API Key:           the key from: ocf keys add cursor
Override OpenAI Base URL: https://your-address/v1
Add model:                ${model}`,
  },
  {
    name: 'Zed',
    where: where.zed,
    tried: null,
    code: ({ base, model }) => `"language_models": {
  "openai_compatible": {
    "Open Compute": {
      "api_url": "${base}",
      "available_models": [
        { "name": ${json(model)}, "max_tokens": 32768 }
      ]
    }
  }
}`,
  },
  {
    name: 'Open WebUI',
    where: where.webui,
    tried: null,
    code: ({ base }) => `URL:     ${base}
API key: none`,
  },
  {
    name: 'Open WebUI in Docker',
    where: where.docker,
    tried: null,
    code: ({ base }) => `docker run -d --network=host \\
  -e OPENAI_API_BASE_URL=${base} -e OPENAI_API_KEY=none \\
  -v open-webui:/app/backend/data ghcr.io/open-webui/open-webui:main`,
  },
  {
    name: 'n8n',
    where: where.n8n,
    tried: null,
    code: ({ base, model }) => `API Key:  none
Base URL: ${base}
Model:    ${model}`,
  },
  {
    name: 'LangChain',
    tried: 'langchain-openai 1.7.4, 2026-11-29',
    code: ({ base, model }) => `from langchain_openai import ChatOpenAI

llm = ChatOpenAI(base_url="${base}", api_key="none", model=${json(model)})
print(llm.invoke("Say hello.").content)`,
  },
  {
    name: 'Python',
    tried: 'openai 3.57.0, 2026-11-29',
    code: ({ base, model }) => `from openai import OpenAI

client = OpenAI(base_url="${base}", api_key="none")
answer = client.chat.completions.create(
    model=${json(model)},
    messages=[{"role": "user", "content": "Say hello."}],
)
print(answer.choices[0].message.content)`,
  },
  {
    name: 'Node',
    tried: 'openai 7.57.0, 2026-11-29',
    code: ({ base, model }) => `import OpenAI from 'openai'

const client = new OpenAI({ baseURL: '${base}', apiKey: 'none' })
const answer = await client.chat.completions.create({
  model: ${json(model)},
  messages: [{ role: 'user', content: 'Say hello.' }],
})
console.log(answer.choices[0].message.content)`,
  },
]
