/** The product's mark, as in the window's icon. */
export function Logo() {
  return (
    <svg width="28" height="28" viewBox="0 0 512 512" aria-hidden="true">
      <rect x="24" y="24" width="464" height="464" rx="112" fill="#4f46e5" />
      <g fill="none" stroke="#fff" strokeWidth="24" strokeLinecap="round" opacity="0.6">
        <path d="M256 256 136 160M256 256 392 176M256 256 208 396" />
      </g>
      <g fill="#c7d2fe">
        <circle cx="136" cy="160" r="40" />
        <circle cx="392" cy="176" r="40" />
        <circle cx="208" cy="396" r="40" />
      </g>
      <circle cx="256" cy="256" r="66" fill="#fff" />
      <circle cx="256" cy="256" r="26" fill="#4338ca" />
    </svg>
  )
}
