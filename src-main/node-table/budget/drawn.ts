/** So many of the items at random, where there are more; else all. Reorders `items`. */
export function drawn<Item>(items: Item[], count: number, random: () => number = Math.random): Item[] {
  if (items.length <= count) return items
  for (let index = 0; index < count; index += 1) {
    const other = index + Math.floor(random() * (items.length - index))
    ;[items[index], items[other]] = [items[other] as Item, items[index] as Item]
  }
  return items.slice(0, count)
}
