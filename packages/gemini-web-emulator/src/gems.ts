import type { OwnGem, Profile } from './profile.ts'

/** Gems that everybody has. Source: fact sheet §10.4. */
export const PREDEFINED_GEMS: readonly OwnGem[] = [
  { id: 'coding-partner', name: 'Coding partner', description: 'Level up your code', prompt: 'You help with code.' },
  { id: 'writing-editor', name: 'Writing editor', description: 'Polishes prose', prompt: 'You edit text.' },
  { id: 'brainstormer', name: 'Brainstormer', description: 'Finds ideas', prompt: 'You collect ideas.' },
  { id: 'career-guide', name: 'Career guide', description: 'Plans careers', prompt: 'You advise on careers.' },
  {
    id: 'learning-coach',
    name: 'Learning coach',
    description: 'Explains step by step',
    prompt: 'You teach step by step.',
  },
  { id: 'productivity-helper', name: 'Productivity helper', description: 'Sorts tasks', prompt: 'You sort tasks.' },
]

/** Shown only when hidden ones are asked for. */
export const HIDDEN_GEMS: readonly OwnGem[] = [
  { id: 'storybook', name: 'Storybook', description: 'Tells stories with pictures', prompt: 'You tell stories.' },
]

export function findGem(profile: Profile, id: string): OwnGem | undefined {
  return profile.gems.get(id) ?? [...PREDEFINED_GEMS, ...HIDDEN_GEMS].find((gem) => gem.id === id)
}
