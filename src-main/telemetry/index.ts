export { createMetrics, type Metrics, type MetricSources } from './metrics.js'
export { createTokenCounter, type TokenCount, type TokenCounter } from './token-counter.js'
export { createTrafficHistory, type TrafficHistory } from './traffic-history.js'
export { createTrafficFeed, type TrafficFeed, type TrafficHandle, type TrafficUpdate } from './traffic.js'
