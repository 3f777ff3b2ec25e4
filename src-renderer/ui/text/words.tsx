import { Visible } from './visible.js'

/** Text in which `code` stands between backticks, as the strings have it. */
export function Words({ text }: { text: string }) {
  return text.split('`').map((part, index) =>
    index % 2 === 1 ? (
      <code key={index}>
        <Visible text={part} />
      </code>
    ) : (
      <Visible key={index} text={part} />
    ),
  )
}
