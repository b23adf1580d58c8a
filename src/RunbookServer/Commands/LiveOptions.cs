using System.CommandLine;
using Runbooks.Sandbox;
using RunbookServer.Hosting;
using RunbookServer.Terminal;

namespace RunbookServer.Commands;

/// <summary><c>--live [--config FILE]</c>: whom a simulation asks in earnest.</summary>
internal sealed class LiveOptions
{
    private readonly Option<bool> _live = new("--live") { Description = "Ask the real checks and let the steps look at their targets, with the settings of --config (or RUNBOOK_ variables); without any, in the sandbox of a practice host that runs here. Stops at the question: nothing acts." };
    private readonly Option<string?> _config = new("--config") { Description = "With --live: a JSON file with settings, as serve takes it." };

    public void AddTo(Command command)
    {
        command.Add(_live);
        command.Add(_config);
    }

    /// <returns>Null where nothing outside is asked.</returns>
    /// <exception cref="CommandException">There is nobody to ask.</exception>
    public async Task<IConfiguration?> FindAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var file = parsed.GetValue(_config);
        if (!parsed.GetValue(_live))
        {
            return file is null ? null : throw new CommandException("--config goes with --live.");
        }

        var settings = new ConfigurationBuilder();
        if (file is not null)
        {
            settings.AddSettingsFile(file);
        }

        var found = settings.AddEnvironmentVariables(SettingsFile.Variables).Build();
        return file is not null || found.AsEnumerable().Any() ? found
            : await SandboxWorld.FindAsync(cancellationToken) is { } sandbox ? new ConfigurationBuilder().AddInMemoryCollection(SandboxSettings.For(sandbox)).Build()
            : throw new CommandException("There is nothing to ask: name the settings file with --config, or start a practice host with 'runbook serve' and ask its sandbox.");
    }
}
