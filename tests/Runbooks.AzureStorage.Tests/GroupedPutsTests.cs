using Azure.Data.Tables;
using Runbooks.AzureStorage.Tests.Cost;
using TestKit;

namespace Runbooks.AzureStorage.Tests;

public sealed class GroupedPutsTests(Azurite azurite)
{
    private readonly AzureAccount _account = new(azurite);
    private readonly CountedRequests _counted = new();

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ManyRowsAtOnce_GoTogetherAndOfTwoVersionsTheLaterStays()
    {
        var (puts, rows) = Open();
        await puts.PutAsync(Row("warm", 0), Now);
        _counted.Clear();

        var all = Enumerable.Range(0, 150).Select(n => puts.PutAsync(Row($"r{n % 120}", n), Now)).ToList();
        await Task.WhenAll(all);

        _counted.Requests.Count.ShouldBeLessThanOrEqualTo(6);
        (await rows.FindAsync("p", "r5", null, Now))!.GetInt32("N").ShouldBe(125);
        (await rows.FindAsync("p", "r119", null, Now))!.GetInt32("N").ShouldBe(119);
    }

    [Fact]
    public async Task RowThatIsRefused_FailsAloneAndTheOthersArePut()
    {
        var (puts, rows) = Open();
        var refused = Row("refused", 1);
        refused["Nothing that a row takes"] = new Version();

        var all = Enumerable.Range(0, 10).Select(n => puts.PutAsync(n == 5 ? refused : Row($"r{n}", n), Now)).ToList();
        await Task.WhenAll(all).ShouldThrowAsync<Exception>();

        all.Count(put => put.IsFaulted).ShouldBe(1);
        (await rows.FindAsync("p", "r9", null, Now))!.GetInt32("N").ShouldBe(9);
    }

    private (GroupedPuts Puts, TableRows Rows) Open()
    {
        var rows = _account.IncidentRowsOf(_counted);
        return (new GroupedPuts(rows), rows);
    }

    private static TableEntity Row(string key, int n) => new("p", key) { ["N"] = n };
}
