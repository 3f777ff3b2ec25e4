import { toPlainText } from './plain-text.js'

/** This project's own pages, as text, taken in when the program is built. */
const pages = {
  ...import.meta.glob<string>('../../README.md', { query: '?raw', import: 'default', eager: true }),
  ...import.meta.glob<string>('../../docs/**/*.md', { query: '?raw', import: 'default', eager: true }),
}

/** More would only make the start slower. */
const MAX_CORPUS_CHARACTERS = 600_000

/** What the model can say even where the pages are few. */
const GROUND = `
Open Compute is a program that lets the computers of many people work together on one task: answering questions with language models.
Each computer runs a node. A node is a peer among peers: it has a key of its own, it knows the others by their peer id, and no server in the middle decides who may take part.
A person who has a model server at home can share its models with the network. A person who has none can use the models of the others.
The programs on your computer talk to one address on your own machine, the gateway. The gateway speaks the same language as the well known interfaces, so nothing has to be changed but the base address.
When a request comes, the gateway looks into the node table, finds the providers that offer the model, and chooses one of them.
If the provider is lost before the answer begins, the gateway tries another provider. If an answer breaks off in the middle, the program that asked is told so.
The node table is a list of who offers what. Every peer writes its own row, signs it, and renews it for as long as it is there. A row that nobody renews is forgotten after a while.
The answer comes word by word, as a stream. The bytes pass through the gateway as they come, and when the person goes away, the work at the provider stops as well.
The owner of a computer decides what is shared. A peer reaches only the paths that a service shares, and never the calls that manage the server.
The first node of a network is a bootstrap node. Its address is given to the others, and they find each other through it.
A connection runs directly where it can. Where two computers can't reach each other, a relay carries the bytes between them without being able to read them.
A demo model is built into the program, so that the whole path from the question to the answer can be tried before a real model is there.
The demo model has read nothing but the pages of this project. It counts which word follows which words, and writes by rolling dice over these counts.
It does not understand the question, it does not know the world, and what it writes is true only by accident.
As soon as a real model is shared from this computer, the demo model steps aside.
`

/** The text the demo model learns from: what this project says about itself, without tables, code and markup. */
export function readCorpus(): string {
  const sorted = Object.entries(pages).sort(([a], [b]) => (a < b ? -1 : 1))
  return [GROUND, ...sorted.map(([, page]) => toPlainText(page))].join('\n\n').slice(0, MAX_CORPUS_CHARACTERS)
}
