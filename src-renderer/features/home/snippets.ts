import type { ModelView } from '#shared/contract/models/models.js'
import { strings } from '../../strings.js'

/** The example of one language: an OpenAI client that needs nothing but the base URL. */
export interface Snippet {
  name: string
  code: string
  /** Where it goes, for an app that has a place of its own for it. */
  where?: string
}

/** Examples filled with this node's address and a model that is available now. */
export function snippetsFor(baseUrl: string, model: string): Snippet[] {
  const json = JSON.stringify(model)
  return [
    { name: 'curl', code: curl(baseUrl, model) },
    {
      name: 'Python',
      code: `from openai import OpenAI

client = OpenAI(base_url="${baseUrl}", api_key="none")
answer = client.chat.completions.create(
    model=${json},
    messages=[{"role": "user", "content": "Say hello."}],
)
print(answer.choices[0].message.content)`,
    },
    {
      name: 'Node',
      code: `import OpenAI from 'openai'

const client = new OpenAI({ baseURL: '${baseUrl}', apiKey: 'none' })
const answer = await client.chat.completions.create({
  model: ${json},
  messages: [{ role: 'user', content: 'Say hello.' }],
})
console.log(answer.choices[0].message.content)`,
    },
    {
      name: 'LangChain',
      code: `from langchain_openai import ChatOpenAI

llm = ChatOpenAI(base_url="${baseUrl}", api_key="none", model=${json})
print(llm.invoke("Say hello.").content)`,
    },
    {
      name: 'Open WebUI',
      where: strings.home.where.webui,
      code: `URL:     ${baseUrl}
API key: none`,
    },
    {
      name: 'Continue',
      where: strings.home.where.continue,
      code: `models:
  - name: ${json}
    provider: openai
    model: ${json}
    apiBase: ${baseUrl}
    apiKey: none
    roles: [chat, edit, apply]`,
    },
  ]
}

function curl(baseUrl: string, model: string): string {
  const body = `{
    "model": ${JSON.stringify(model)},
    "messages": [{"role": "user", "content": "Say hello."}]
  }`
  return `curl ${baseUrl}/chat/completions \\
  -H 'Content-Type: application/json' \\
  -d '${body.replaceAll("'", `'\\''`)}'`
}

/** The model for the examples: one of this computer, else one whose peer is connected, else any. */
export function modelForExamples(models: readonly ModelView[]): string | undefined {
  const connected = (model: ModelView): boolean => model.providers.some((provider) => provider.connected)
  return (models.find((model) => model.local) ?? models.find(connected) ?? models[0])?.id
}
