using System.CommandLine;
using RunbookServer.Hosting;

namespace RunbookServer.Commands;

/// <summary><c>--runbooks DIR</c>, the same on every command that reads them.</summary>
internal sealed class RunbookFolderOption : Option<DirectoryInfo?>
{
    public RunbookFolderOption()
        : base("--runbooks") => Description = "The folder of runbooks; ./runbooks or the shipped ones unless named.";

    /// <exception cref="CommandException">The named folder is not there.</exception>
    public RunbookFolder Of(ParseResult parsed) => RunbookFolder.Find(parsed.GetValue(this)?.FullName);
}
