using RunbookServer.Commands;

return await CommandLine.RunAsync(args);
