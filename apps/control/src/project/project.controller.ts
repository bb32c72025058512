import { type Acknowledged, createProject, type ProjectView, slug } from '@headgate/contracts';
import { BearerGuard, type Caller, CallerOf, type FastifyRequest } from '@headgate/service-kit';
import { Body, Controller, Inject, Param, Req, UseGuards } from '@nestjs/common';
import type { z } from 'zod';
import { refuseOutsideScope } from '../access/scope.js';
import { Route } from '../api/route.decorator.js';
import { ROUTES } from '../api/routes.js';
import { Commands } from '../log/commands.js';
import { Queries } from '../queries/queries.js';

@Controller()
@UseGuards(BearerGuard)
export class ProjectController {
  constructor(
    @Inject(Commands) private readonly commands: Commands,
    @Inject(Queries) private readonly queries: Queries,
  ) {}

  @Route(ROUTES.createProject)
  create(
    @Req() request: FastifyRequest,
    @CallerOf() caller: Caller,
    @Body({ schema: createProject }) { slug: project, name = project, why }: z.infer<typeof createProject>,
  ): Promise<Acknowledged> {
    refuseOutsideScope(caller, project);
    return this.commands.send(request, {
      type: 'create-project',
      project,
      projectId: this.commands.newId(),
      name,
      why,
    });
  }

  @Route(ROUTES.listProjects)
  async list(@CallerOf() caller: Caller): Promise<{ items: readonly ProjectView[] }> {
    const projects = await this.queries.projects();
    return { items: projects.filter(({ slug }) => caller.project === null || caller.project === slug) };
  }

  @Route(ROUTES.getProject)
  get(@Param('project', { schema: slug }) project: string): Promise<ProjectView> {
    return this.queries.project(project);
  }
}
