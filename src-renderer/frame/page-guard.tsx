import { Component, type ReactNode } from 'react'
import { strings } from '../strings.js'
import { Button } from '../ui/controls/button.js'
import { Empty } from '../ui/feedback/empty.js'

const { state: words } = strings

/** Says so where a page can't be loaded or drawn, and leaves the rest of the dashboard in working order. */
export class PageGuard extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false }

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true }
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children
    return (
      <Empty icon="alert" title={words.pageFailed}>
        <p>{words.pageFailedHint}</p>
        <Button icon="refresh" onClick={() => location.reload()}>
          {words.reload}
        </Button>
      </Empty>
    )
  }
}
