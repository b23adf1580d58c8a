using System.CommandLine;
using System.CommandLine.Parsing;
using Runbooks.Sandbox;
using RunbookServer.Hosting;
using RunbookServer.Terminal;

namespace RunbookServer.Commands;

/// <summary><c>--live [--config FILE]</c>: whom a simulation asks in earnest.</summary>
internal sealed class LiveOptions
{
    private readonly Option<bool> _live = new("--live") { Description = "Ask the real checks and let the steps look at their targets, with the settings of --config (or RUNBOOK_ variables); without any, in the sandbox of a practice host that runs here. Stops at the question: nothing acts." };
    private readonly Option<Uri?> _sandbox = new("--sandbox") { Description = "With --live: the address of a sandbox to ask, as a practice host prints it; http://127.0.0.1:7072 unless named.", CustomParser = result => Address(result) };
    private readonly Option<string?> _config = new("--config") { Description = "With --live: a JSON file with settings, as serve takes it." };

    public void AddTo(Command command)
    {
        command.Add(_live);
        command.Add(_config);
        command.Add(_sandbox);
    }

    /// <returns>Null where nothing outside is asked.</returns>
    /// <exception cref="CommandException">There is nobody to ask.</exception>
    public async Task<IConfiguration?> FindAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var (file, named) = (parsed.GetValue(_config), parsed.GetValue(_sandbox));
        if (!parsed.GetValue(_live))
        {
            return file is null && named is null ? null : throw new CommandException($"{(file is null ? _sandbox.Name : _config.Name)} goes with --live.");
        }

        if (named is not null)
        {
            return file is null
                ? await SandboxAsync(named, cancellationToken) ?? throw new CommandException($"No sandbox answers at {named}. A practice host prints its address when it starts.")
                : throw new CommandException("--sandbox and --config name two worlds to ask. Leave one of them out.");
        }

        var found = SettingsFile.Read(file);
        return file is not null || found.AsEnumerable().Any() ? found
            : await SandboxAsync(null, cancellationToken)
            ?? throw new CommandException("There is nothing to ask: name the settings file with --config, or start a practice host with 'runbook serve' and ask its sandbox (with --sandbox where it is not on its usual port).");
    }

    private static async Task<IConfiguration?> SandboxAsync(Uri? named, CancellationToken cancellationToken) =>
        await SandboxWorld.FindAsync(named, cancellationToken) is { } sandbox ? new ConfigurationBuilder().AddInMemoryCollection(SandboxSettings.For(sandbox)).Build() : null;

    private static Uri? Address(ArgumentResult result)
    {
        if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var address) && address.Scheme is "http" or "https")
        {
            return address;
        }

        result.AddError($"--sandbox is '{result.Tokens[0].Value}'; it has to be an address such as http://127.0.0.1:7072.");
        return null;
    }
}
