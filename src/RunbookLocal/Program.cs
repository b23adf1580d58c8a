using RunbookLocal.Commands;

return await CommandLine.RunAsync(args);
