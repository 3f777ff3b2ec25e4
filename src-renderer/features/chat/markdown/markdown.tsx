import type { Token, Tokens } from 'marked'
import { Component, Fragment, memo, type ReactNode } from 'react'
import { strings } from '../../../strings.js'
import { Visible } from '../../../ui/text/visible.js'
import { safeHref, tokensOf, withoutEntities, type MathToken } from './answer-tokens.js'
import { Code } from './code.js'
import { Formula } from './formula.js'
import styles from './markdown.module.css'

const { chat: words } = strings

/** Rows of a table that are drawn. */
const MAX_ROWS = 200

/**
 * An answer in Markdown. Each part becomes an element of a known kind and its text stays text: HTML is shown as it is
 * written, and nothing is loaded from anywhere.
 */
export const Markdown = memo(function Markdown({ text }: { text: string }) {
  const plain = (
    <>
      <p className={styles['plainNote']}>{words.plain}</p>
      <pre className={styles['plain']}>{text}</pre>
    </>
  )
  const tokens = tokensOf(text)
  if (tokens === undefined) return plain
  return (
    <Guarded key={text.length} instead={plain}>
      <div className={styles['markdown']}>
        <Blocks tokens={tokens} />
      </div>
    </Guarded>
  )
})

/** Shows something else where drawing failed, so that no answer takes the page along. */
class Guarded extends Component<{ instead: ReactNode; children: ReactNode }, { failed: boolean }> {
  override state = { failed: false }

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true }
  }

  override render(): ReactNode {
    return this.state.failed ? this.props.instead : this.props.children
  }
}

function Blocks({ tokens }: { tokens: readonly Token[] }) {
  // Every answer stands under a heading of level 2; a model that skips levels must not make readers look for them.
  let level = 2
  return tokens.map((token, index) => {
    if (token.type === 'heading') level = Math.min((token as Tokens.Heading).depth + 2, level + 1, 6)
    return <Block key={index} token={token as BlockToken} level={level} />
  })
}

type BlockToken =
  | Tokens.Blockquote
  | Tokens.Checkbox
  | Tokens.Code
  | Tokens.Heading
  | Tokens.Hr
  | Tokens.HTML
  | Tokens.List
  | Tokens.Paragraph
  | Tokens.Space
  | Tokens.Table
  | Tokens.Text
  | MathToken

function Block({ token, level }: { token: BlockToken; level: number }) {
  switch (token.type) {
    case 'blockquote':
      return (
        <blockquote>
          <Blocks tokens={token.tokens} />
        </blockquote>
      )
    case 'checkbox':
      return inline(token)
    case 'code':
      return <Code text={token.text} language={token.lang?.split(/\s/, 1)[0] ?? ''} />
    case 'heading':
      return (
        <p role="heading" aria-level={level} className={styles[`heading${Math.min(token.depth, 4)}`]}>
          <Inline tokens={token.tokens} />
        </p>
      )
    case 'hr':
      return <hr />
    case 'list':
      return <List list={token} />
    case 'math':
      return <Formula tex={token.text} isBlock />
    case 'paragraph':
      return (
        <p>
          <Inline tokens={token.tokens} />
        </p>
      )
    case 'space':
      return null
    case 'table':
      return <Table table={token} />
    case 'text':
      return <Inline tokens={token.tokens ?? [token]} />
    default:
      return <p className={styles['raw']}>{token.raw}</p>
  }
}

function List({ list }: { list: Tokens.List }) {
  const items = list.items.map((item, index) => (
    <li key={index} className={item.task ? styles['task'] : undefined}>
      <Blocks tokens={item.tokens} />
    </li>
  ))
  if (!list.ordered) return <ul>{items}</ul>
  return <ol start={typeof list.start === 'number' ? list.start : 1}>{items}</ol>
}

function Table({ table: { header, align, rows } }: { table: Tokens.Table }) {
  const alignOf = (column: number): string | undefined => styles[align[column] ?? 'left']
  return (
    <div className={styles['tableBox']} tabIndex={0} role="group" aria-label={words.table}>
      <table>
        <thead>
          <tr>
            {header.map((cell, column) => (
              <th key={column} scope="col" className={alignOf(column)}>
                <Inline tokens={cell.tokens} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, MAX_ROWS).map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (
                <td key={column} className={alignOf(column)}>
                  <Inline tokens={cell.tokens} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > MAX_ROWS && <p className={styles['plainNote']}>{words.moreRows(rows.length - MAX_ROWS)}</p>}
    </div>
  )
}

type InlineToken =
  | Tokens.Br
  | Tokens.Checkbox
  | Tokens.Codespan
  | Tokens.Del
  | Tokens.Em
  | Tokens.Escape
  | Tokens.Image
  | Tokens.Link
  | Tokens.Strong
  | Tokens.Tag
  | Tokens.Text
  | MathToken

function Inline({ tokens }: { tokens: readonly Token[] }) {
  return tokens.map((token, index) => <Fragment key={index}>{inline(token as InlineToken)}</Fragment>)
}

function inline(token: InlineToken): ReactNode {
  switch (token.type) {
    case 'br':
      return <br />
    case 'checkbox':
      return <input type="checkbox" checked={token.checked} readOnly disabled aria-label={words.task(token.checked)} />
    case 'codespan':
      return (
        <code>
          <Visible text={token.text} />
        </code>
      )
    case 'del':
      return (
        <del>
          <Inline tokens={token.tokens} />
        </del>
      )
    case 'em':
      return (
        <em>
          <Inline tokens={token.tokens} />
        </em>
      )
    case 'escape':
      return <Visible text={token.text} />
    case 'image':
      return <Link href={token.href}>{words.image(token.text === '' ? words.imageUnnamed : token.text)}</Link>
    case 'link':
      return (
        <Link href={token.href}>
          <Inline tokens={token.tokens} />
        </Link>
      )
    case 'math':
      return <Formula tex={token.text} isBlock={token.isBlock} />
    case 'strong':
      return (
        <strong>
          <Inline tokens={token.tokens} />
        </strong>
      )
    case 'text':
      return token.tokens === undefined ? (
        <Visible text={withoutEntities(token.text)} />
      ) : (
        <Inline tokens={token.tokens} />
      )
    default:
      return <Visible text={token.raw} />
  }
}

/** A link with its address on hover. Where it leads is a stranger's choice: the page is not told to it. */
function Link({ href, children }: { href: string; children: ReactNode }) {
  const url = safeHref(href)
  if (url === undefined) return <span className={styles['dead']}>{children}</span>
  return (
    <a href={url} title={url} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  )
}
