export { createKeptChats, type KeptChats } from './kept-chats.js'
