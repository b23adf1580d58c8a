using System.Net;
using Runbooks.Guardrails;
using Runbooks.Settings;
using RunbookServer.Hosting;

namespace RunbookServer.Tests.Hosting;

public sealed class ProxyBeyondThisMachineTests
{
    [Theory]
    [InlineData("http://127.0.0.1:9090/api", false)]
    [InlineData("http://localhost:7072/", false)]
    [InlineData("https://[::1]/", false)]
    [InlineData("https://inside.example/", false)]
    [InlineData("https://prometheus.example/", true)]
    public void AddressOfThisMachine_IsNotAskedThroughIt(string address, bool through) =>
        new ProxyBeyondThisMachine(new ProxyOfVariables()).IsBypassed(new(address)).ShouldBe(!through);

    /// <summary>As .NET makes one of <c>HTTP_PROXY</c> and <c>NO_PROXY</c>: it knows no exception but those that are named.</summary>
    private sealed class ProxyOfVariables : IWebProxy
    {
        public ICredentials? Credentials { get; set; }

        public Uri? GetProxy(Uri destination) => new("http://proxy.example:8080");

        public bool IsBypassed(Uri host) => host.Host == "inside.example";
    }
}

public sealed class VariablesWithoutPrefixTests
{
    /// <summary>Someone who rehearses with <c>Safety__Mode=dryRun</c> would act on real systems.</summary>
    [Theory]
    [InlineData("Safety__Mode", "Safety__Mode")]
    [InlineData("SAFETY__MODE", "SAFETY__MODE")]
    [InlineData("Storage__AccountName", "Storage__AccountName")]
    [InlineData("Safety__Mode RUNBOOK_Safety__Mode", "")]
    [InlineData("Safety SAFETY_MODE Other__Mode RUNBOOK_Safety__BreakerAfter PATH", "")]
    public void VariableThatIsWrittenAsASetting_IsFound(string variables, string found) =>
        string.Join(' ', ServerSettingsCheck.FindWithoutPrefix([new(SafetyOptions.SectionName, typeof(SafetyOptions))], variables.Split(' '))).ShouldBe(found);
}
