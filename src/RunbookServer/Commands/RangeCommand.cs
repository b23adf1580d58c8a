using System.CommandLine;
using Runbooks.Sandbox;
using Runbooks.Sandbox.Apis;
using RunbookServer.Terminal;

namespace RunbookServer.Commands;

/// <summary><c>runbook range</c>: the practice range alone, so that the Functions app can be pointed at it.</summary>
internal static class RangeCommand
{
    public static Command Build()
    {
        var port = new Option<int>("--port") { Description = "Its port; 0 takes any free one.", DefaultValueFactory = _ => PracticeRangeOptions.DefaultPort };
        var command = new Command("range", "Runs the practice range alone.") { port };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var range = await StartAsync(parsed.GetRequiredValue(port), cancellationToken);
            Screen.Raw($"The practice range listens on {range.BaseAddress}. Point the app at it with these settings:");
            foreach (var (key, value) in PracticeSettings.For(range.BaseAddress))
            {
                Screen.Raw($"  {key.Replace(":", "__", StringComparison.Ordinal)}={value}");
            }

            await Task.Delay(Timeout.Infinite, cancellationToken);
            return ExitCode.Done;
        });
        return command;
    }

    private static async Task<PracticeRangeServer> StartAsync(int port, CancellationToken cancellationToken)
    {
        try
        {
            return await PracticeRangeServer.StartAsync(new PracticeRangeOptions { Port = port }, cancellationToken);
        }
        catch (IOException)
        {
            throw new CommandException($"Port {port} is taken. Stop what listens there, or choose another with --port.");
        }
    }
}
