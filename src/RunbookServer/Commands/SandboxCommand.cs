using Microsoft.AspNetCore.Connections;
using Runbooks.Sandbox;
using Runbooks.Sandbox.Apis;

namespace RunbookServer.Commands;

/// <summary><c>runbook sandbox</c>: the sandbox alone, so that the Functions app can be pointed at it.</summary>
internal static class SandboxCommand
{
    public static Command Build()
    {
        var port = ServeCommand.PortOption("Its port; 0 takes any free one.", SandboxOptions.DefaultPort);
        var state = new Option<FileInfo?>("--state") { Description = "A file that keeps what was done to it over a restart; without it, it begins anew." };
        var log = new Option<FileInfo?>("--log") { Description = "A file that gets a line of JSON for each request: when, what, and the status that was answered." };
        var command = new Command("sandbox", "Runs the sandbox alone.") { port, state, log };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var sandbox = await StartAsync(
                new SandboxOptions { Port = parsed.GetRequiredValue(port), StateFile = parsed.GetValue(state)?.FullName, LogFile = parsed.GetValue(log)?.FullName }, cancellationToken);
            ConsoleOutput.Raw($"The sandbox listens on {sandbox.BaseAddress}. These settings point a host at it (for RunbookServer as environment variables with RUNBOOK_ before each; 'runbook serve' in practice has a sandbox of its own):");
            foreach (var (key, value) in SandboxSettings.For(sandbox.BaseAddress))
            {
                ConsoleOutput.Raw($"  {key.Replace(":", "__", StringComparison.Ordinal)}={value}");
            }

            // It runs until it is stopped: that is its end.
            await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return ExitCode.Done;
        });
        return command;
    }

    private static async Task<SandboxServer> StartAsync(SandboxOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return await SandboxServer.StartAsync(options, cancellationToken);
        }
        catch (IOException taken) when (taken.InnerException is AddressInUseException)
        {
            throw new CommandException($"Port {options.Port} is taken. Stop what listens there, or choose another with --port.");
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"The sandbox cannot start: {refused.Message} Choose other files with --state or --log.");
        }
    }
}
