#!/usr/bin/env node
import { defineCommand, runMain } from 'citty'
import { VERSION } from './version.ts'

const main = defineCommand({
  meta: { name: 'castor', version: VERSION, description: 'Your Gemini behind the APIs you already use.' },
  subCommands: {
    serve: () => import('./commands/serve.ts').then((module) => module.serveCommand),
    demo: () => import('./commands/demo.ts').then((module) => module.demoCommand),
    login: () => import('./commands/login.ts').then((module) => module.loginCommand),
    accounts: () => import('./commands/accounts.ts').then((module) => module.accountsCommand),
    state: () => import('./commands/state.ts').then((module) => module.stateCommand),
    doctor: () => import('./commands/doctor.ts').then((module) => module.doctorCommand),
  },
})

await runMain(main)
