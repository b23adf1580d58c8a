using Microsoft.Extensions.Configuration;
using Runbooks.Guardrails;
using Runbooks.Notifications.Storms;
using Runbooks.Settings;
using Runbooks.SignedLinks;

namespace Runbooks.Tests.Settings;

public sealed class SettingsCheckerTests
{
    private static readonly SettingsSection[] s_sections =
        [new("Storms", typeof(StormOptions)), new("Safety", typeof(SafetyOptions)), new("LinkSigning", typeof(LinkSigningOptions))];

    [Theory]
    [InlineData("Storms:MoreThn", "3", "This host has no setting 'Storms:MoreThn'. Did you mean 'Storms:MoreThan'? docs/settings.md lists them all.")]
    [InlineData("Storm:MoreThan", "3", "This host has no setting 'Storm:MoreThan'. Did you mean 'Storms:MoreThan'? docs/settings.md lists them all.")]
    [InlineData("LinkSigning:Keys:0:Secrt", "x", "This host has no setting 'LinkSigning:Keys:0:Secrt'. Did you mean 'LinkSigning:Keys:0:Secret'? docs/settings.md lists them all.")]
    [InlineData("Storms:MoreThan:Deep", "3", "This host has no setting 'Storms:MoreThan:Deep'. Did you mean 'Storms:MoreThan'? docs/settings.md lists them all.")]
    [InlineData("Storms:MoreThan", "many", "The setting 'Storms:MoreThan' has to be a whole number. docs/settings.md says what it does.")]
    [InlineData("Storms:Gather", "a while", "The setting 'Storms:Gather' has to be a length of time such as 00:05:00 (hh:mm:ss), or 90.00:00:00 for 90 days. docs/settings.md says what it does.")]
    [InlineData("Storms:Gather", "15", "The setting 'Storms:Gather' has to be a length of time such as 00:05:00 (hh:mm:ss), or 90.00:00:00 for 90 days. docs/settings.md says what it does.")]
    [InlineData("Storms:MoreThan", "", "The setting 'Storms:MoreThan' has to be a whole number. docs/settings.md says what it does.")]
    [InlineData("Safety:Mode", "ApproveAll,DryRun", "The setting 'Safety:Mode' has to be one of Normal, ApproveAll, DryRun. docs/settings.md says what it does.")]
    [InlineData("Safety:Mode", "1", "The setting 'Safety:Mode' has to be one of Normal, ApproveAll, DryRun. docs/settings.md says what it does.")]
    [InlineData("Safety:Mode", "careful", "The setting 'Safety:Mode' has to be one of Normal, ApproveAll, DryRun. docs/settings.md says what it does.")]
    [InlineData("LinkSigning:Keys", "x", "The setting 'LinkSigning:Keys' is a list, and one value in its place is not read: write it as 'LinkSigning:Keys:0', in JSON in brackets. docs/settings.md lists them all.")]
    [InlineData("LinkSigning:Keys:0", "x", "The setting 'LinkSigning:Keys:0' has parts, and a value in its place is not read: write 'LinkSigning:Keys:0:NAME'. docs/settings.md lists them all.")]
    [InlineData("Safety:Windows:0:Runbooks", "database-*", "The setting 'Safety:Windows:0:Runbooks' is a list, and one value in its place is not read: write it as 'Safety:Windows:0:Runbooks:0', in JSON in brackets. docs/settings.md lists them all.")]
    public void WhatNothingReads_IsRefusedWithTheRemedyOnEitherHost(string name, string value, string problem)
    {
        Check(onlyOurs: true, (name, value)).ShouldBe([problem]);
        Check(onlyOurs: false, (name, value)).ShouldBe([problem]);
    }

    [Theory]
    [InlineData("Runbooks:RefreshEvery", "Only the Functions app has it.")]
    [InlineData("AzureStorage:ConnectionString", "Only the Functions app has it.")]
    [InlineData("Storage:AccountName", "Only a self-hosted process has it.")]
    [InlineData("StorageX:AccountName", "docs/settings.md lists them all.")]
    public void WhatOnlyTheOtherHostReads_IsSaidToBeItsOwn(string name, string ending) =>
        Check(onlyOurs: true, (name, "x")).ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            problem => problem.ShouldStartWith($"This host has no setting '{name}'. "),
            problem => problem.ShouldEndWith(ending));

    [Theory]
    [InlineData("Storage:AcountName", "Did you mean 'Storage:AccountName'? docs/settings.md lists them all.")]
    [InlineData("Storage:Zzz", "docs/settings.md lists them all.")]
    [InlineData("Runbooks:RefreshEvery:Deep", "Did you mean 'Runbooks:RefreshEvery'? docs/settings.md lists them all.")]
    [InlineData("Runbooks:RunbooksFolder", "Only the Functions app has it.")]
    [InlineData("Telemetry:Metrics", "Only a self-hosted process has it.")]
    public void MisspeltInWhatThisHostHas_IsNotSaidToBeTheOthers(string name, string remedy) =>
        Check([new("Storage", typeof(OfOneHost)), new("Runbooks", typeof(OfOneHost))], onlyOurs: true, (name, "x")).ShouldBe([$"This host has no setting '{name}'. {remedy}"]);

    [Fact]
    public void WhatIsRead_IsFine() => Check(
        onlyOurs: true,
        ("storms:morethan", "3"), ("Storms:Gather", "00:00:05"), ("Storms:Within", "1.00:00:00"), ("Safety:Mode", "dryRun"), ("LinkSigning:Keys:0:Id", "k1"), ("LinkSigning:Keys:0:Secret", "s"),
        ("TEAMS_URL", "u"), ("Secrets:Slack", "u"), ("Logging:LogLevel:Default", "Debug")).ShouldBeEmpty();

    [Fact]
    public void EnvironmentOfAWholeProcess_IsNotJudged()
    {
        (string, string)[] environment = [("PATH", "/bin"), ("HOME", "/root"), ("AzureFunctionsJobHost:logging:level", "x"), ("AzureWebJobsStorage:accountName", "a"), ("STORM", "x"), ("SAFETY", "a secret of that name"), ("Storms:RoutingKey", "a secret that contacts name")];

        Check(onlyOurs: false, environment).ShouldBeEmpty();
        Check(onlyOurs: true, environment).Count.ShouldBe(environment.Length);
    }

    private static IReadOnlyList<string> Check(bool onlyOurs, params (string Name, string Value)[] settings) => Check(s_sections, onlyOurs, settings);

    private static IReadOnlyList<string> Check(SettingsSection[] sections, bool onlyOurs, params (string Name, string Value)[] settings) =>
        [.. new SettingsChecker(sections, ["TEAMS_URL", "Secrets:Slack", "Logging"], _ => null).Check(
            new ConfigurationBuilder().AddInMemoryCollection(settings.ToDictionary(setting => setting.Name, setting => (string?)setting.Value)).Build(), onlyOurs).Select(problem => problem.Text)];

    private sealed class OfOneHost
    {
        public string? AccountName { get; set; }

        public TimeSpan RefreshEvery { get; set; }
    }
}
