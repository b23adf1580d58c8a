using System.CommandLine;
using Runbooks.Sandbox;
using Runbooks.Sandbox.Apis;
using RunbookServer.Terminal;

namespace RunbookServer.Commands;

/// <summary><c>runbook sandbox</c>: the sandbox alone, so that the Functions app can be pointed at it.</summary>
internal static class SandboxCommand
{
    public static Command Build()
    {
        var port = new Option<int>("--port") { Description = "Its port; 0 takes any free one.", DefaultValueFactory = _ => SandboxOptions.DefaultPort };
        var command = new Command("sandbox", "Runs the sandbox alone.") { port };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var sandbox = await StartAsync(parsed.GetRequiredValue(port), cancellationToken);
            ConsoleOutput.Raw($"The sandbox listens on {sandbox.BaseAddress}. Point the app at it with these settings:");
            foreach (var (key, value) in SandboxSettings.For(sandbox.BaseAddress))
            {
                ConsoleOutput.Raw($"  {key.Replace(":", "__", StringComparison.Ordinal)}={value}");
            }

            await Task.Delay(Timeout.Infinite, cancellationToken);
            return ExitCode.Done;
        });
        return command;
    }

    private static async Task<SandboxServer> StartAsync(int port, CancellationToken cancellationToken)
    {
        try
        {
            return await SandboxServer.StartAsync(new SandboxOptions { Port = port }, cancellationToken);
        }
        catch (IOException)
        {
            throw new CommandException($"Port {port} is taken. Stop what listens there, or choose another with --port.");
        }
    }
}
