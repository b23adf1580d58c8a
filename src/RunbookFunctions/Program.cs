using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Hosting;
using RunbookFunctions;

var (app, problems) = FunctionsApp.Build(FunctionsApplication.CreateBuilder(args));
if (problems.Count > 0)
{
    await Console.Error.WriteLineAsync($"The app was not started. {string.Join(' ', problems)}");
    return 2;
}

await app.RunAsync();
return 0;
