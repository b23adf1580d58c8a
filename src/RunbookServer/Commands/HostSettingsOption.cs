using System.CommandLine;
using Runbooks.Catalog.Reading;
using Runbooks.Settings;
using RunbookServer.Terminal;

namespace RunbookServer.Commands;

/// <summary><c>--setting NAME=VALUE</c>, the same on every command that reads runbooks: what a host would say of itself.</summary>
internal sealed class HostSettingsOption : Option<string[]>
{
    public HostSettingsOption()
        : base("--setting") => Description = "What runbooks read as {{ settings.NAME }}: NAME=VALUE, as the host's Runbooks:Settings:NAME.";

    /// <param name="configured">Settings of a host, which count where nothing is given.</param>
    /// <exception cref="CommandException">It is no NAME=VALUE.</exception>
    public HostSettings Of(ParseResult parsed, IConfiguration? configured = null)
    {
        var values = configured?.GetSection($"{RunbookSettingsOptions.SectionName}:{nameof(RunbookSettingsOptions.Settings)}").GetChildren()
            .ToDictionary(one => one.Key, one => one.Value ?? "", StringComparer.OrdinalIgnoreCase) ?? new(StringComparer.OrdinalIgnoreCase);
        foreach (var given in parsed.GetValue(this) ?? [])
        {
            values[given.Split('=', 2) is [{ Length: > 0 } name, _] ? name : throw new CommandException($"--setting is '{given}'; it has to be NAME=VALUE.")] = given.Split('=', 2)[1];
        }

        return new(values);
    }
}
