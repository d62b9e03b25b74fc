import { Command } from 'commander'
import { renderProject } from '../features/projects/render.js'
import { run } from './prepare.js'
import { listAllProjects, print, withProjects } from './with-projects.js'

export function projectsCommand(): Command {
  const projects = new Command('projects').description('List projects. Works while the service runs.')
  projects
    .command('list')
    .description(
      'List projects, oldest first: id, when it was made, whether by the operator or by a first write, name.',
    )
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) =>
      run((signal) =>
        withProjects(signal, async (feature) => {
          const found = await listAllProjects(feature)
          if (options.json === true) return print(JSON.stringify({ projects: found.map(renderProject) }))
          if (found.length === 0) return print('There are no projects.')
          for (const { id, name, origin, createdAt } of found) {
            print(`${id}  ${createdAt.toISOString()}  ${origin}  ${name ?? ''}`.trimEnd())
          }
        }),
      ),
    )
  return projects
}
