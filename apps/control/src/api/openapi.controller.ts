import { Public } from '@headgate/service-kit';
import { Controller, Get } from '@nestjs/common';
import { openApiDocument } from './openapi.js';

@Controller()
@Public()
export class OpenApiController {
  private readonly document = openApiDocument();

  @Get('openapi.json')
  read(): unknown {
    return this.document;
  }
}
