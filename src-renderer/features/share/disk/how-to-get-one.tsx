import { linkTo } from '../../../stores/route.js'
import { strings } from '../../../strings/all.js'
import styles from './disk-card.module.css'

const { get: words } = strings.engine

/** Programs that fetch models and run them; the person opens their pages, this program asks them for nothing. */
const WAYS = [
  { name: 'Ollama', url: 'https://ollama.com', text: words.ways.ollama },
  { name: 'LM Studio', url: 'https://lmstudio.ai', text: words.ways.lmStudio },
  { name: 'llama.cpp', url: 'https://github.com/ggml-org/llama.cpp', text: words.ways.llamaCpp },
]

/** Where nothing was found: how to get a model, and a server where there is none either. */
export function HowToGetOne({ hasServer }: { hasServer: boolean }) {
  return (
    <>
      <p className={styles['strong']}>{hasServer ? words.titleWithServer : words.title}</p>
      <p className={styles['soft']}>{words.text}</p>
      <ul className={styles['ways']}>
        {WAYS.map(({ name, url, text }) => (
          <li key={url}>
            <a href={url} target="_blank" rel="noopener noreferrer">
              {name}
            </a>
            <span className={styles['soft']}>{text}</span>
          </li>
        ))}
      </ul>
      <p className={styles['soft']}>
        {words.own} <a href={linkTo('settings', 'engine.folders')}>{words.ownAction}</a>.
      </p>
    </>
  )
}
